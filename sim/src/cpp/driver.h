// The model class proper: drives one Verilated design by its clock. Included once, by the generated shim of each model.
#pragma once

#include "image.h"
#include "model.h"
#include "slots.h"
#include "stop.h"
#include "watches.h"

#include "verilated.h"
#include "verilated_sym_props.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

#include <memory>
#include <string>
#include <vector>

namespace lpu::sim {

/// Nanoseconds of one clock period in waves and in $time.
constexpr uint64_t kPeriod = 10;

/// The bits of a signal; older Verilators have no entBits().
template <typename Var>
auto bits_of(const Var& var, int) -> decltype(static_cast<uint32_t>(var.entBits())) {
    return var.entBits();
}
template <typename Var>
uint32_t bits_of(const Var& var, long) {
    return static_cast<uint32_t>(var.elements(0));
}

template <typename Design>
class Driver final : public Model {
    // One thread per instance: without the limit every context starts a pool as large as the machine.
    struct Context final : VerilatedContext {
        Context() {
            threads(1);
            traceEverOn(VM_TRACE);
        }
    };
    Context m_context;
    Design m_design;
    uint8_t* const m_clock;
    uint32_t m_ports;
    std::vector<Slot> m_slots;
    std::vector<std::string> m_names;  // scope.signal of the slots after the ports
    Watches m_watches;
    uint64_t m_cycle = 0;
    std::vector<uint8_t> m_image;
    std::string m_reason;
#if VM_TRACE
    std::unique_ptr<VerilatedVcdC> m_trace;
    uint64_t m_first = 0, m_end = 0;
    void dump(uint64_t time) {
        if (m_trace && m_cycle >= m_first && m_cycle < m_end) m_trace->dump(time);
    }
    bool observed() const { return m_trace || !m_watches.idle(); }
#else
    void dump(uint64_t) {}
    bool observed() const { return !m_watches.idle(); }
#endif

    // One clock cycle: the inputs are in place; the rising edge; look; the falling edge.
    template <bool Observed>
    inline void advance() {
        m_context.time(++m_cycle * kPeriod);
        *m_clock = 1;
        m_design.eval();
        if (Observed) {
            dump(m_cycle * kPeriod);
            m_watches.sample(m_cycle);
        }
        *m_clock = 0;
        m_design.eval();
        if (Observed) dump(m_cycle * kPeriod + kPeriod / 2);
    }

    template <bool Observed>
    void run(uint64_t cycles) {
        for (; cycles; --cycles) advance<Observed>();
    }

    void advance_as_needed() {
        if (observed()) advance<true>();
        else advance<false>();
    }

    // Parts of Verilator's library look for the context of the thread, which may be that of another instance, or of one
    // that is gone.
    void enter() { Verilated::threadContextp(&m_context); }

    template <typename Action>
    bool guarded(Action action) {
        if (!m_reason.empty()) return false;
        enter();
        try {
            action();
        } catch (const Stopped& stopped) {
            m_reason = stopped.reason;
        }
        return m_reason.empty();
    }

public:
    /// `table` lists the ports of a design; called once with the finished design.
    template <typename Table>
    Driver(uint8_t& (*clock)(Design&), Table table)
        : m_design{&m_context, ""}
        , m_clock{&clock(m_design)} {
        table(m_design, m_slots);
        m_ports = static_cast<uint32_t>(m_slots.size());
        guarded([&] { m_design.eval(); });  // initial blocks, clock low
    }
    ~Driver() override {
        close_trace();
        guarded([&] { m_design.final(); });
        enter();
    }

    uint32_t port_count() const override { return m_ports; }
    const char* name(uint32_t slot) const override {
        return slot < m_ports ? m_slots[slot].name : m_names[slot - m_ports].c_str();
    }
    uint32_t width(uint32_t slot) const override { return m_slots[slot].width; }
    uint32_t direction(uint32_t slot) const override { return m_slots[slot].direction; }

    int32_t find(const char* scope, const char* signal) override {
        const std::string name = std::string{scope} + "." + signal;
        for (size_t i = 0; i < m_names.size(); ++i) {
            if (m_names[i] == name) return static_cast<int32_t>(m_ports + i);
        }
        const VerilatedScope* const found = m_context.scopeFind(scope);
        if (!found) return kUnknownScope;
        const VerilatedVar* const var = found->varFind(signal);
        if (!var) return kUnknownSignal;
        if (var->udims() != 0) return kArray;
        m_slots.push_back({nullptr, var->datap(), bits_of(*var, 0), 3});
        m_names.push_back(name);
        return static_cast<int32_t>(m_slots.size() - 1);
    }

    void set(uint32_t slot, uint64_t value) override { write_low(m_slots[slot], value); }
    uint64_t get(uint32_t slot) const override { return read_low(m_slots[slot]); }
    void set_words(uint32_t slot, const uint64_t* words) override { write_words(m_slots[slot], words); }
    void get_words(uint32_t slot, uint64_t* words) const override { read_words(m_slots[slot], words); }

    bool settle() override {
        return guarded([&] { m_design.eval(); });
    }
    bool step(uint64_t cycles) override {
        return guarded([&] { observed() ? run<true>(cycles) : run<false>(cycles); });
    }
    bool step_bare(uint64_t cycles) override {
        return guarded([&] { run<false>(cycles); });
    }
    uint64_t run_until(uint32_t slot, uint64_t value, uint64_t max_cycles) override {
        uint64_t done = 0;
        guarded([&] {
            const Slot watched = m_slots[slot];
            for (; done < max_cycles && read_low(watched) != value; ++done) advance_as_needed();
        });
        return done;
    }
    bool play(const uint32_t* inputs, size_t num_inputs, const uint64_t* rows, uint64_t num_rows, const uint32_t* outputs,
              size_t num_outputs, uint64_t* record) override {
        std::vector<Slot> driven, seen;
        for (size_t i = 0; i < num_inputs; ++i) driven.push_back(m_slots[inputs[i]]);
        for (size_t i = 0; i < num_outputs; ++i) seen.push_back(m_slots[outputs[i]]);
        return guarded([&] {
            for (; num_rows; --num_rows) {
                for (const Slot& slot : driven) rows = write_words(slot, rows);
                advance_as_needed();
                for (const Slot& slot : seen) record = read_words(slot, record);
            }
        });
    }
    uint64_t cycle() const override { return m_cycle; }
    const char* stop_reason() const override { return m_reason.c_str(); }

    void add_watch(uint32_t id, uint32_t group, uint32_t valid, const uint32_t* payload, size_t num_payload) override {
        std::vector<Slot> slots;
        for (size_t i = 0; i < num_payload; ++i) slots.push_back(m_slots[payload[i]]);
        m_watches.add(id, group, m_slots[valid], std::move(slots));
    }
    void enable_groups(uint64_t mask) override { m_watches.enable(mask); }
    size_t event_words() const override { return m_watches.size(); }
    void drain_events(uint64_t* into) override { m_watches.drain(into); }

    size_t save() override {
        m_image.clear();
        {
            ImageWriter writer{m_image};
            writer.write(&m_cycle, sizeof m_cycle);
            writer << &m_context;
            writer << m_design;
        }
        return m_image.size();
    }
    void take_image(uint8_t* into) override {
        std::memcpy(into, m_image.data(), m_image.size());
        std::vector<uint8_t>{}.swap(m_image);
    }
    bool restore(const uint8_t* image, size_t size) override {
        m_reason.clear();
        ImageReader reader{image, size};
        return guarded([&] {
            reader.read(&m_cycle, sizeof m_cycle);
            reader >> &m_context;
            reader >> m_design;
            if (!reader.at_end()) throw Stopped{"the image has the wrong length"};
        });
    }

    bool open_trace(const char* path, uint64_t first_cycle, uint64_t end_cycle) override {
#if VM_TRACE
        close_trace();
        m_first = first_cycle;
        m_end = end_cycle;
        guarded([&] {
            m_trace = std::make_unique<VerilatedVcdC>();
            m_design.trace(m_trace.get(), 99);
            m_trace->open(path);
        });
        if (m_trace && m_trace->isOpen()) return true;
        m_trace.reset();
#else
        (void)path, (void)first_cycle, (void)end_cycle;
#endif
        return false;
    }
    void close_trace() override {
#if VM_TRACE
        if (m_trace) m_trace->close();
        m_trace.reset();
#endif
    }
};

}  // namespace lpu::sim
