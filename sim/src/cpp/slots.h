// Reading and writing a Verilated signal by pointer and width.
#pragma once

#include "model.h"

#include <cstring>

namespace lpu::sim {

inline size_t words_of(uint32_t width) { return (width + 63) / 64; }

/// The bits that exist in the last 64-bit word of a signal.
inline uint64_t top_mask(uint32_t width) {
    return width % 64 == 0 ? ~uint64_t{0} : (uint64_t{1} << (width % 64)) - 1;
}

template <typename T>
inline T load(const void* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

/// The low 64 bits of a signal.
inline uint64_t read_low(const Slot& slot) {
    if (slot.width <= 8) return load<uint8_t>(slot.data);
    if (slot.width <= 16) return load<uint16_t>(slot.data);
    if (slot.width <= 32) return load<uint32_t>(slot.data);
    return load<uint64_t>(slot.data);
}

inline void write_low(const Slot& slot, uint64_t value) {
    if (slot.width < 64) value &= top_mask(slot.width);
    // Copies of constant size, which are one store each on a little-endian host.
    if (slot.width <= 8) std::memcpy(slot.data, &value, 1);
    else if (slot.width <= 16) std::memcpy(slot.data, &value, 2);
    else if (slot.width <= 32) std::memcpy(slot.data, &value, 4);
    else std::memcpy(slot.data, &value, 8);
}

/// Copies a signal into ceil(width / 64) words and returns the place after them.
inline uint64_t* read_words(const Slot& slot, uint64_t* into) {
    if (slot.width <= 64) {
        *into = read_low(slot);
        return into + 1;
    }
    const size_t halves = (slot.width + 31) / 32;
    into[words_of(slot.width) - 1] = 0;
    std::memcpy(into, slot.data, halves * 4);
    return into + words_of(slot.width);
}

/// Copies ceil(width / 64) words into a signal, dropping bits it does not have; returns the place after them.
inline const uint64_t* write_words(const Slot& slot, const uint64_t* from) {
    const size_t words = words_of(slot.width);
    if (slot.width <= 64) {
        write_low(slot, *from);
        return from + 1;
    }
    const size_t halves = (slot.width + 31) / 32;
    std::memcpy(slot.data, from, (words - 1) * 8);
    const uint64_t top = from[words - 1] & top_mask(slot.width);
    std::memcpy(static_cast<uint8_t*>(slot.data) + (words - 1) * 8, &top, (halves - (words - 1) * 2) * 4);
    return from + words;
}

}  // namespace lpu::sim
