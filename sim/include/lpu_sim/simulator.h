// Drives one loaded model: clock, inputs, watches, waves. The class that cxx exposes to Rust.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lpu_sim/model.h"
#include "rust/cxx.h"

namespace lpu_sim {

class Simulator {
  public:
    Simulator(void* library, std::unique_ptr<Model> model);
    ~Simulator();
    Simulator(const Simulator&) = delete;
    Simulator& operator=(const Simulator&) = delete;

    size_t num_ports() const { return port_count_; }
    rust::Str port_name(size_t port) const;
    uint32_t port_width(size_t port) const { return ports_[port].width; }
    bool port_is_input(size_t port) const { return ports_[port].input; }
    void set(size_t port, rust::Slice<const uint64_t> words);
    void get(size_t port, rust::Slice<uint64_t> words) const;
    uint64_t cycle() const { return cycle_; }

    void step(uint64_t cycles);
    void spin(uint64_t cycles);
    bool run_until(size_t port, uint64_t value, uint64_t max_cycles);
    void play(rust::Slice<const size_t> inputs, rust::Slice<const uint64_t> rows, size_t cycles,
              rust::Slice<const size_t> outputs, rust::Vec<uint64_t>& record);

    uint32_t signal_width(rust::Str name);
    void watch(uint32_t id, rust::Str valid, rust::Slice<const rust::String> payload);
    void enable_watches(bool enable) { watching_ = enable; }
    void drain(rust::Vec<uint64_t>& events);

    bool open_trace(rust::Str path, uint64_t first, uint64_t last);
    void close_trace();
    bool save(rust::Str path);
    bool restore(rust::Str path, uint64_t cycle);

  private:
    struct Watch {
        uint32_t id;
        Variable valid;
        std::vector<Variable> payload;
    };
    void tick();
    void observe();

    void* library_;
    std::unique_ptr<Model> model_;
    size_t port_count_ = 0;
    const Variable* ports_;
    uint64_t cycle_ = 0;
    std::vector<Watch> watches_;
    std::vector<uint64_t> events_;
    bool watching_ = true;
    bool tracing_ = false;
    uint64_t trace_first_ = 0;
    uint64_t trace_last_ = 0;
};

// Loads a compiled model; throws std::runtime_error with the loader's message.
std::unique_ptr<Simulator> load_simulator(rust::Str path);

}  // namespace lpu_sim
