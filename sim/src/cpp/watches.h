// Watches: what to look at after every rising edge, and the events seen so far.
#pragma once

#include "slots.h"

#include <vector>

namespace lpu::sim {

class Watches final {
    struct Watch {
        uint32_t id;
        uint32_t group;
        Slot valid;
        std::vector<Slot> payload;
        uint32_t words;     // payload words of one event, the mask of a wide `valid` included
    };
    // Only the watches of enabled groups, so that a disabled one costs nothing. sample() reads eight bytes whatever the
    // width and masks the neighbours away: in a Verilated class every signal is followed by at least two pointers.
    struct Probe {
        const void* data;
        uint64_t mask;
        uint64_t wide;      // nonzero where `valid` has more than 64 bits: then emit() looks at all of them
        size_t watch;
    };
    std::vector<Watch> m_all;
    std::vector<Probe> m_active;
    std::vector<uint64_t> m_events;
    uint64_t m_enabled = ~uint64_t{0};

    static bool any_bit(const Slot& slot) {
        const auto* half = static_cast<const uint32_t*>(slot.data);
        uint32_t seen = 0;
        for (size_t i = 0; i < (slot.width + 31) / 32; ++i) seen |= half[i];
        return seen != 0;
    }

    void emit(const Watch& watch, uint64_t cycle) {
        if (watch.valid.width > 64 && !any_bit(watch.valid)) return;
        const size_t start = m_events.size();
        m_events.resize(start + 2 + watch.words);
        uint64_t* into = m_events.data() + start;
        *into++ = cycle;
        *into++ = uint64_t{watch.id} | uint64_t{watch.words} << 32;
        if (watch.valid.width > 1) into = read_words(watch.valid, into);
        for (const Slot& slot : watch.payload) into = read_words(slot, into);
    }

    void rebuild() {
        m_active.clear();
        for (size_t i = 0; i < m_all.size(); ++i) {
            if (m_enabled >> m_all[i].group & 1) {
                const Watch& watch = m_all[i];
                m_active.push_back({watch.valid.data, top_mask(watch.valid.width), watch.valid.width > 64, i});
            }
        }
    }

public:
    void add(uint32_t id, uint32_t group, const Slot& valid, std::vector<Slot> payload) {
        uint32_t words = valid.width > 1 ? static_cast<uint32_t>(words_of(valid.width)) : 0;
        for (const Slot& slot : payload) words += static_cast<uint32_t>(words_of(slot.width));
        m_all.push_back({id, group, valid, std::move(payload), words});
        rebuild();
    }

    void enable(uint64_t groups) {
        m_enabled = groups;
        rebuild();
    }

    bool idle() const { return m_active.empty(); }

    void sample(uint64_t cycle) {
        for (const Probe& probe : m_active) {
            if ((load<uint64_t>(probe.data) & probe.mask) | probe.wide) emit(m_all[probe.watch], cycle);
        }
    }

    size_t size() const { return m_events.size(); }

    void drain(uint64_t* into) {
        if (m_events.empty()) return;
        std::memcpy(into, m_events.data(), m_events.size() * sizeof(uint64_t));
        m_events.clear();
    }
};

}  // namespace lpu::sim
