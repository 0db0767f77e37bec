//! The C++ that turns one Verilated design into the abstract class, most of it in fixed headers.

use crate::ports::Port;

/// Prefix of the classes Verilator generates.
pub(crate) const PREFIX: &str = "Vmodel";

/// To be raised when [`generate`] or the grouping of files changes: part of every cache key.
pub(crate) const VERSION: &str = "1";

/// The headers that every shim includes; part of every cache key.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("model.h", include_str!("../include/model.h")),
    ("slots.h", include_str!("cpp/slots.h")),
    ("stop.h", include_str!("cpp/stop.h")),
    ("image.h", include_str!("cpp/image.h")),
    ("watches.h", include_str!("cpp/watches.h")),
    ("driver.h", include_str!("cpp/driver.h")),
];

/// The shim for a design with these ports and this clock.
pub(crate) fn generate(ports: &[Port], clock: &Port) -> String {
    let table: String = ports
        .iter()
        .map(|port| {
            format!(
                "        {{\"{}\", &design.{}, {}, {}}},\n",
                port.name, port.member, port.width, port.direction
            )
        })
        .collect();
    format!(
        r#"#include "{PREFIX}.h"
#include "driver.h"

static void list_ports({PREFIX}& design, std::vector<lpu::sim::Slot>& slots) {{
    slots = {{
{table}    }};
}}

static uint8_t& clock_of({PREFIX}& design) {{ return design.{clock}; }}

extern "C" __attribute__((visibility("default"))) lpu::sim::Model* lpu_sim_create() {{
    return new lpu::sim::Driver<{PREFIX}>{{clock_of, list_ports}};
}}
"#,
        clock = clock.member,
    )
}
