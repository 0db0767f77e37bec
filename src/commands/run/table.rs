//! Reports for people.

use lpu::run::Report;
use lpu::workload::Shape;

/// What a run did, and how it went.
pub fn table(report: &Report) -> String {
    let verdict = match (
        report.mismatches,
        report.cycles_measured == report.cycles_predicted,
    ) {
        (0, true) => "equal to the golden model in every bit and every cycle",
        (0, false) => "values equal, but not in the predicted number of cycles",
        _ => "DIFFERENT from the golden model",
    };
    let (what, read) = match &report.shape {
        Shape::Matmul { m, k, n, format } => (
            format!("{format} matmul {m} x {k} x {n}"),
            "weight bytes read",
        ),
        Shape::Attention {
            seq,
            keys,
            heads,
            kv_heads,
            dim,
            causal,
            weights,
            mode,
        } => {
            let causal = if *causal { "causal " } else { "" };
            let what = format!(
                "{causal}attention of {seq} queries and {keys} keys, {heads} heads ({kv_heads} of keys) of {dim}, \
                 {weights} weights, {mode}"
            );
            (what, "keys and values read")
        }
        Shape::Layer {
            dim,
            ffn,
            heads,
            kv_heads,
            head_dim,
            layers,
            cache,
            position,
            batch,
        } => {
            let what = format!(
                "{layers} decoder layer{} of {dim}, feed-forward {ffn}, {heads} heads ({kv_heads} of keys) of {head_dim}, \
                 position {position} of {cache}, batch {batch}",
                if *layers == 1 { "" } else { "s" }
            );
            (what, "weights, keys, values")
        }
        Shape::Rows {
            rows, cols, layout, ..
        } => (
            format!("{} of {rows} x {cols} {layout}", report.workload),
            "operands read",
        ),
        Shape::Collective { elements, .. } => (
            format!("{} of {elements} elements", report.workload),
            "vectors read",
        ),
    };
    let work = match &report.shape {
        Shape::Rows {
            passes,
            bound_cycles,
            ..
        } => format!(
            "passes                  {passes}, {bound_cycles} of them for elements ({:.2} % of the cycles)",
            100.0 * *bound_cycles as f64 / report.cycles_measured.max(1) as f64
        ),
        Shape::Collective { bound_cycles, .. } => format!(
            "bound of the links      {bound_cycles} ({:.2} % of the cycles)",
            100.0 * *bound_cycles as f64 / report.cycles_measured.max(1) as f64
        ),
        _ => format!(
            "multiply-accumulates    {} ({:.2} % of the MXM)",
            report.macs,
            100.0 * report.mac_utilization
        ),
    };
    let speed = match report.shape {
        Shape::Rows { .. } | Shape::Collective { .. } => String::new(),
        _ => format!(", {:.0} million MAC/s", report.sim_macs_per_second / 1e6),
    };
    let mut engine = format!("{:?}", report.engine).to_lowercase();
    if let Some(lpus) = &report.lpus {
        engine += &format!(", {} LPUs", lpus.lpus);
    }
    let pipelined = report
        .pipelined
        .as_ref()
        .map_or(String::new(), |pipelined| {
            format!(
                "launches                {}, a token in each: {:.2} % of linear\n",
                pipelined.launches,
                100.0 * pipelined.efficiency
            )
        });
    let errors = report.errors.map_or(String::new(), |errors| {
        format!(
            "largest error           {:.3e} ({:.3e} of the largest of its row)\n",
            errors.max_abs_error, errors.max_rel_error
        )
    });
    format!(
        "{what} on {} ({engine}): {verdict}\n\
         \n\
         cycles predicted        {}\n\
         cycles measured         {}\n\
         {work}\n\
         {read:<23} {:.2} % of the SRAM read bandwidth\n\
         {pipelined}\
         events compared         {}\n\
         mismatches              {}\n\
         {errors}\
         simulated               {:.0} cycles/s{speed}\n\
         configuration hash      {}\n",
        report.config,
        report.cycles_predicted,
        report.cycles_measured,
        100.0 * report.sram_read_utilization,
        report.events_compared,
        report.mismatches,
        report.sim_cycles_per_second,
        &report.config_hash[..16],
    )
}
