// The abstract model: what a compiled design exports, whatever its configuration.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lpu_sim {

// A port or an observed signal: words are little endian, 8, 16, 32 or 64 bits for narrow
// signals (by width), 32-bit words for signals wider than 64 bits.
struct Variable {
    const char* name;
    void* data;
    uint32_t width;
    bool input;
};

class Model {
  public:
    virtual ~Model() = default;
    // Settles the design after inputs or the clock changed.
    virtual void eval() = 0;
    // `cycles` clock cycles and nothing else: the yardstick of the loop benchmark.
    virtual void spin(uint64_t cycles) = 0;
    virtual uint8_t& clock() = 0;
    virtual const Variable* ports(size_t& count) = 0;
    // The observed signal of that hierarchical name; data is null when there is none.
    virtual Variable signal(const char* name) = 0;
    virtual bool open_trace(const char* path) = 0;
    virtual void dump_trace(uint64_t time) = 0;
    virtual void close_trace() = 0;
    virtual bool save(const char* path) = 0;
    virtual bool restore(const char* path) = 0;
};

// Symbol of the factory that every compiled model exports.
inline constexpr const char* kFactory = "lpu_sim_create_model";
using Factory = Model* (*)();

}  // namespace lpu_sim
