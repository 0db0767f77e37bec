#include "lpu_sim/simulator.h"

#include <dlfcn.h>

#include <cstring>
#include <stdexcept>

namespace lpu_sim {

namespace {

size_t words_of(uint32_t width) { return (width + 63) / 64; }

// Reads 64-bit word `index` of a variable.
inline uint64_t read_word(const Variable& v, size_t index) {
    if (v.width <= 8) return *static_cast<const uint8_t*>(v.data);
    if (v.width <= 16) return *static_cast<const uint16_t*>(v.data);
    if (v.width <= 32) return *static_cast<const uint32_t*>(v.data);
    if (v.width <= 64) return *static_cast<const uint64_t*>(v.data);
    const uint32_t* words = static_cast<const uint32_t*>(v.data);
    const size_t count = (v.width + 31) / 32;
    uint64_t low = words[2 * index];
    uint64_t high = 2 * index + 1 < count ? words[2 * index + 1] : 0;
    return low | high << 32;
}

inline void write_word(const Variable& v, size_t index, uint64_t value) {
    const uint32_t rest = v.width - 64 * static_cast<uint32_t>(index);
    if (rest < 64) value &= (uint64_t{1} << rest) - 1;
    if (v.width <= 8) {
        *static_cast<uint8_t*>(v.data) = static_cast<uint8_t>(value);
    } else if (v.width <= 16) {
        *static_cast<uint16_t*>(v.data) = static_cast<uint16_t>(value);
    } else if (v.width <= 32) {
        *static_cast<uint32_t*>(v.data) = static_cast<uint32_t>(value);
    } else if (v.width <= 64) {
        *static_cast<uint64_t*>(v.data) = value;
    } else {
        uint32_t* words = static_cast<uint32_t*>(v.data);
        words[2 * index] = static_cast<uint32_t>(value);
        if (2 * index + 1 < (v.width + 31) / 32) words[2 * index + 1] = static_cast<uint32_t>(value >> 32);
    }
}

}  // namespace

Simulator::Simulator(void* library, std::unique_ptr<Model> model)
    : library_(library), model_(std::move(model)), ports_(model_->ports(port_count_)) {
    model_->clock() = 0;
    model_->eval();
}

Simulator::~Simulator() {
    close_trace();
    model_.reset();
    dlclose(library_);
}

rust::Str Simulator::port_name(size_t port) const { return rust::Str(ports_[port].name); }

void Simulator::set(size_t port, rust::Slice<const uint64_t> words) {
    for (size_t i = 0; i < words_of(ports_[port].width); ++i) write_word(ports_[port], i, words[i]);
}

void Simulator::get(size_t port, rust::Slice<uint64_t> words) const {
    for (size_t i = 0; i < words_of(ports_[port].width); ++i) words[i] = read_word(ports_[port], i);
}

void Simulator::tick() {
    model_->clock() = 1;
    model_->eval();
    ++cycle_;
    if (watching_ && !watches_.empty()) observe();
    if (tracing_ && cycle_ >= trace_first_ && cycle_ < trace_last_) model_->dump_trace(10 * cycle_);
    model_->clock() = 0;
    model_->eval();
    if (tracing_ && cycle_ >= trace_first_ && cycle_ < trace_last_) model_->dump_trace(10 * cycle_ + 5);
}

void Simulator::observe() {
    for (const Watch& watch : watches_) {
        const uint64_t valid = read_word(watch.valid, 0);
        if (!valid) continue;
        events_.push_back(cycle_);
        events_.push_back(watch.id);
        events_.push_back(valid);
        for (const Variable& v : watch.payload)
            for (size_t i = 0; i < words_of(v.width); ++i) events_.push_back(read_word(v, i));
    }
}

void Simulator::step(uint64_t cycles) {
    for (uint64_t i = 0; i < cycles; ++i) tick();
}

void Simulator::spin(uint64_t cycles) {
    model_->spin(cycles);
    cycle_ += cycles;
}

bool Simulator::run_until(size_t port, uint64_t value, uint64_t max_cycles) {
    const Variable& v = ports_[port];
    for (uint64_t i = 0; i < max_cycles; ++i) {
        if (read_word(v, 0) == value) return true;
        tick();
    }
    return read_word(v, 0) == value;
}

void Simulator::play(rust::Slice<const size_t> inputs, rust::Slice<const uint64_t> rows, size_t cycles,
                     rust::Slice<const size_t> outputs, rust::Vec<uint64_t>& record) {
    const uint64_t* row = rows.data();
    for (size_t cycle = 0; cycle < cycles; ++cycle) {
        for (size_t port : inputs)
            for (size_t i = 0; i < words_of(ports_[port].width); ++i) write_word(ports_[port], i, *row++);
        tick();
        for (size_t port : outputs)
            for (size_t i = 0; i < words_of(ports_[port].width); ++i) record.push_back(read_word(ports_[port], i));
    }
}

uint32_t Simulator::signal_width(rust::Str name) {
    const Variable v = model_->signal(std::string(name).c_str());
    return v.data ? v.width : 0;
}

void Simulator::watch(uint32_t id, rust::Str valid, rust::Slice<const rust::String> payload) {
    Watch watch{id, model_->signal(std::string(valid).c_str()), {}};
    for (const rust::String& name : payload) watch.payload.push_back(model_->signal(std::string(name).c_str()));
    watches_.push_back(watch);
}

void Simulator::drain(rust::Vec<uint64_t>& events) {
    for (uint64_t word : events_) events.push_back(word);
    events_.clear();
}

bool Simulator::open_trace(rust::Str path, uint64_t first, uint64_t last) {
    close_trace();
    tracing_ = model_->open_trace(std::string(path).c_str());
    trace_first_ = first;
    trace_last_ = last;
    return tracing_;
}

void Simulator::close_trace() {
    if (tracing_) model_->close_trace();
    tracing_ = false;
}

bool Simulator::save(rust::Str path) { return model_->save(std::string(path).c_str()); }

bool Simulator::restore(rust::Str path, uint64_t cycle) {
    if (!model_->restore(std::string(path).c_str())) return false;
    cycle_ = cycle;
    return true;
}

std::unique_ptr<Simulator> load_simulator(rust::Str path) {
    void* library = dlopen(std::string(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw std::runtime_error(dlerror());
    auto factory = reinterpret_cast<Factory>(dlsym(library, kFactory));
    if (!factory) {
        const std::string message = dlerror();
        dlclose(library);
        throw std::runtime_error(message);
    }
    return std::make_unique<Simulator>(library, std::unique_ptr<Model>(factory()));
}

}  // namespace lpu_sim
