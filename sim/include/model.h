// The abstract class behind which every compiled model hides.
//
// A compiled model is a shared object that exports one C function, `lpu_sim_create`. Only integers and plain pointers cross
// this border, so that the model may be compiled by another compiler than the one that built the Rust side. Change
// LPU_SIM_INTERFACE whenever a virtual function is added, removed or reordered: it is part of the key of the model cache.
#pragma once

#include <cstddef>
#include <cstdint>

#define LPU_SIM_INTERFACE 1

namespace lpu::sim {

/// A port or an observed signal: where its bits live and how many there are.
struct Slot final {
    const char* name;     ///< Port name; null for an observed signal.
    void* data;           ///< CData, SData, IData, QData or 32-bit words, as Verilator lays out `width` bits.
    uint32_t width;       ///< Bits.
    uint32_t direction;   ///< 0 input, 1 output, 2 inout, 3 observed signal.
};

/// What went wrong when a signal was looked up; values at or above zero are slots.
enum Lookup : int32_t { kUnknownScope = -1, kUnknownSignal = -2, kArray = -3 };

class Model {
public:
    virtual ~Model() = default;

    // Slots 0 .. port_count()-1 are the ports; find() appends one slot for every new observed signal.
    virtual uint32_t port_count() const = 0;
    virtual const char* name(uint32_t slot) const = 0;
    virtual uint32_t width(uint32_t slot) const = 0;
    virtual uint32_t direction(uint32_t slot) const = 0;
    virtual int32_t find(const char* scope, const char* signal) = 0;

    // Values are little-endian arrays of 64-bit words, ceil(width / 64) each.
    virtual void set(uint32_t slot, uint64_t value) = 0;
    virtual uint64_t get(uint32_t slot) const = 0;
    virtual void set_words(uint32_t slot, const uint64_t* words) = 0;
    virtual void get_words(uint32_t slot, uint64_t* words) const = 0;

    // Time. Each returns false (or the cycles done so far) if the design stopped itself; stop_reason() then says why.
    virtual bool settle() = 0;
    virtual bool step(uint64_t cycles) = 0;
    virtual bool step_bare(uint64_t cycles) = 0;
    virtual uint64_t run_until(uint32_t slot, uint64_t value, uint64_t max_cycles) = 0;
    virtual bool play(const uint32_t* inputs, size_t num_inputs, const uint64_t* rows, uint64_t num_rows,
                      const uint32_t* outputs, size_t num_outputs, uint64_t* record) = 0;
    virtual uint64_t cycle() const = 0;
    virtual const char* stop_reason() const = 0;

    // Watches.
    virtual void add_watch(uint32_t id, uint32_t group, uint32_t valid, const uint32_t* payload, size_t num_payload) = 0;
    virtual void enable_groups(uint64_t mask) = 0;
    virtual size_t event_words() const = 0;
    virtual void drain_events(uint64_t* into) = 0;

    // State: save() makes an image and returns its size, take_image() copies it out and frees it.
    virtual size_t save() = 0;
    virtual void take_image(uint8_t* into) = 0;
    virtual bool restore(const uint8_t* image, size_t size) = 0;

    // Waves; open_trace() returns false where the model was compiled without them.
    virtual bool open_trace(const char* path, uint64_t first_cycle, uint64_t end_cycle) = 0;
    virtual void close_trace() = 0;
};

/// The one function a compiled model exports, under the name `lpu_sim_create`.
using Factory = Model* (*)();

}  // namespace lpu::sim
