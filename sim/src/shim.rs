//! The C++ that joins one Verilated design to the abstract model.

use crate::error::SimError;

/// Version of the generated text; part of the cache key.
pub(crate) const VERSION: u32 = 2;

/// A port as Verilator's header declares it.
struct Port<'a> {
    name: &'a str,
    width: u32,
    input: bool,
}

/// Reads the ports out of Verilator's top header: lines such as `VL_IN8(&clock,0,0);`.
fn ports(header: &str) -> Vec<Port<'_>> {
    header
        .lines()
        .filter_map(|line| port(line.trim()))
        .collect()
}

fn port(line: &str) -> Option<Port<'_>> {
    let (macro_name, arguments) = line.strip_suffix(");")?.split_once('(')?;
    let input = macro_name.starts_with("VL_IN") && !macro_name.starts_with("VL_INOUT");
    if !input && !macro_name.starts_with("VL_OUT") {
        return None;
    }
    let mut fields = arguments.split(',');
    let name = fields.next()?.trim_start_matches('&');
    let high: u32 = fields.next()?.parse().ok()?;
    let low: u32 = fields.next()?.parse().ok()?;
    let width = high - low + 1;
    Some(Port { name, width, input })
}

/// The shim for the design whose Verilated class is `class`.
pub(crate) fn text(
    class: &str,
    header: &str,
    clock: &str,
    trace: bool,
) -> Result<String, SimError> {
    let ports = ports(header);
    if !ports.iter().any(|port| port.name == clock && port.input) {
        return Err(SimError::NoSuchPort {
            name: clock.to_owned(),
        });
    }
    let table: String = ports
        .iter()
        .map(|port| {
            let Port { name, width, input } = port;
            format!("            {{\"{name}\", &top_.{name}, {width}, {input}}},\n")
        })
        .collect();
    let trace = u8::from(trace);
    Ok(format!(
        r#"// Joins the Verilated design to lpu_sim::Model.
#include <string>
#include "lpu_sim/model.h"
#include "{class}.h"
#include "verilated.h"
#include "verilated_save.h"
#include "verilated_syms.h"
#if {trace}
#include "verilated_vcd_c.h"
#endif

namespace {{

class Compiled final : public lpu_sim::Model {{
  public:
    Compiled() : top_(&context_, "TOP") {{
#if {trace}
        context_.traceEverOn(true);
#endif
    }}
    ~Compiled() override {{
        // Scopes deregister from the thread's current context, which may be another instance's.
        Verilated::threadContextp(&context_);
        top_.final();
    }}
    void eval() override {{ top_.eval(); }}
    void spin(uint64_t cycles) override {{
        for (uint64_t i = 0; i < cycles; ++i) {{
            top_.{clock} = 1;
            top_.eval();
            top_.{clock} = 0;
            top_.eval();
        }}
    }}
    uint8_t& clock() override {{ return top_.{clock}; }}
    const lpu_sim::Variable* ports(size_t& count) override {{
        count = sizeof ports_ / sizeof *ports_;
        return ports_;
    }}
    lpu_sim::Variable signal(const char* name) override {{
        Verilated::threadContextp(&context_);
        const std::string path = std::string("TOP.") + name;
        const size_t dot = path.rfind('.');
        const VerilatedScope* scope = Verilated::scopeFind(path.substr(0, dot).c_str());
        VerilatedVar* var = scope ? scope->varFind(path.c_str() + dot + 1) : nullptr;
        if (!var) return {{name, nullptr, 0, false}};
        return {{name, var->datap(), static_cast<uint32_t>(var->entBits()), false}};
    }}
    bool open_trace(const char* path) override {{
#if {trace}
        trace_ = new VerilatedVcdC;
        top_.trace(trace_, 99);
        trace_->open(path);
        return trace_->isOpen();
#else
        (void)path;
        return false;
#endif
    }}
    void dump_trace(uint64_t time) override {{
#if {trace}
        trace_->dump(time);
#else
        (void)time;
#endif
    }}
    void close_trace() override {{
#if {trace}
        trace_->close();
        delete trace_;
        trace_ = nullptr;
#endif
    }}
    bool save(const char* path) override {{
        VerilatedSave file;
        file.open(path);
        if (!file.isOpen()) return false;
        file << top_;
        file.close();
        return true;
    }}
    bool restore(const char* path) override {{
        VerilatedRestore file;
        file.open(path);
        if (!file.isOpen()) return false;
        file >> top_;
        file.close();
        return true;
    }}

  private:
    VerilatedContext context_;
    {class} top_;
#if {trace}
    VerilatedVcdC* trace_ = nullptr;
#endif
    const lpu_sim::Variable ports_[{count}] = {{
{table}        }};
}};

}}  // namespace

extern "C" lpu_sim::Model* lpu_sim_create_model() {{ return new Compiled; }}
"#,
        count = ports.len(),
    ))
}
