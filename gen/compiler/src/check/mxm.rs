//! Matrix planes: weights, operand buffer, products and accumulators.

use super::expand::{Issue, Launch, Run};
use super::flow::emits;
use super::{Violation, Violations};
use lpu_isa::config::MxmFormat;
use lpu_isa::latency::{IW_TO_MM, LX_TO_MM, mm_latency};
use lpu_isa::{AccMode, Config, Operation, QueueKind};

pub fn check(config: &Config, launch: &Launch, found: &mut Violations) {
    for plane in 0..config.mxm.planes {
        let weights = launch.queue(config, QueueKind::MxmWeights, plane);
        let compute = launch.queue(config, QueueKind::MxmCompute, plane);
        let accumulate = launch.queue(config, QueueKind::MxmAccumulate, plane);
        let installed = check_weights(config, weights, found);
        check_compute(config, compute, installed, found);
        check_products(config, compute, accumulate, found);
        check_accumulators(config, accumulate, found);
    }
}

fn all(runs: &[Run]) -> impl Iterator<Item = (&Run, Issue)> {
    runs.iter()
        .flat_map(|run| run.issues().map(move |issue| (run, issue)))
}

fn multiplies(run: &Run) -> bool {
    matches!(
        run.operation,
        Operation::MultiplyStream { .. } | Operation::MultiplyBuffer { .. }
    )
}

/// Rows exist, and every install takes a whole tile. Returns the cycle of the first install.
fn check_weights(config: &Config, runs: &[Run], found: &mut Violations) -> Option<u64> {
    let rows = |count: usize| (1u128 << count) - 1;
    let (mut loaded, mut installed) = (0u128, None);
    for (run, issue) in all(runs) {
        let mut install = run.operation == Operation::InstallWeights;
        if let Operation::LoadWeights {
            column,
            install: flag,
            ..
        } = run.operation
        {
            let row = usize::from(issue.address);
            let limit = if column {
                config.lanes
            } else {
                config.weight_rows()
            };
            if row >= limit || !row.is_multiple_of(run.width) {
                let what = match row < limit {
                    true => "a weight row that is no multiple of the weight streams,",
                    false => "weight row",
                };
                found.push(Violation::AddressRange {
                    site: run.site(issue.cycle),
                    what,
                    address: row as u64,
                    limit: limit as u64,
                });
            }
            let row = if row < limit { row } else { row % config.lanes };
            let width = run.weight_streams(config, issue);
            loaded |= rows(width) << (row / run.width * run.width);
            install = flag && issue.j0 + 1 == run.repeat.count0;
        }
        if install {
            let weights = loaded & rows(config.lanes);
            let mut lacking = |of: &str, there: u128, all: usize| {
                let there = there.count_ones() as usize;
                if there < all {
                    let hazard = format!(
                        "installs weights of which only {there} of {all} rows {of}were loaded since the last install"
                    );
                    let site = run.site(issue.cycle);
                    found.push(Violation::Weights { site, hazard });
                }
            };
            lacking("", weights, config.lanes);
            if run.format == Some(MxmFormat::Nvfp4) {
                let scales = config.weight_rows() - config.lanes;
                lacking("of scales ", loaded >> config.lanes, scales);
            }
            loaded = 0;
            installed.get_or_insert(issue.cycle);
        }
    }
    installed
}

/// Weights are installed before the first product; buffer rows are loaded before they are used.
fn check_compute(config: &Config, runs: &[Run], installed: Option<u64>, found: &mut Violations) {
    let ready = installed.map(|cycle| cycle + IW_TO_MM);
    let rows = config.mxm.operand_depth;
    let mut loaded: Vec<Option<u64>> = vec![None; rows];
    let mut scales = loaded.clone();
    let has_scales = config.mxm.has(MxmFormat::Nvfp4);
    for (run, issue) in all(runs) {
        let cycle = issue.cycle;
        let row = usize::from(issue.address);
        let buffer = !matches!(run.operation, Operation::MultiplyStream { .. });
        if buffer && row >= rows {
            found.push(Violation::AddressRange {
                site: run.site(cycle),
                what: "operand-buffer row",
                address: row as u64,
                limit: rows as u64,
            });
            continue;
        }
        if !multiplies(run) {
            loaded[row] = Some(cycle);
            if let Operation::LoadOperand {
                scales: Some(_), ..
            } = run.operation
            {
                scales[row] = Some(cycle);
            }
            continue;
        }
        if ready.is_none_or(|ready| cycle < ready) {
            let when = match ready {
                Some(ready) => format!("the first weights can be used from cycle {ready}"),
                None => "no weights are ever installed".to_owned(),
            };
            found.push(Violation::Weights {
                site: run.site(cycle),
                hazard: format!("no weights are installed yet ({when})"),
            });
        }
        if !buffer {
            continue;
        }
        let scaled = has_scales && run.operation == Operation::MultiplyBuffer { scaled: true };
        for (what, load) in [
            ("operand-buffer row", Some(loaded[row])),
            (
                "the scale part of operand-buffer row",
                scaled.then_some(scales[row]),
            ),
        ] {
            let Some(load) = load else { continue };
            if load.is_none_or(|load| cycle < load + LX_TO_MM) {
                let when = match load {
                    Some(load) => format!("its LX issues in cycle {load}, too late to be seen"),
                    None => "no LX has loaded it".to_owned(),
                };
                found.push(Violation::Operand {
                    site: run.site(cycle),
                    hazard: format!("{what} {row} is not there ({when})"),
                });
            }
        }
    }
}

/// Every product meets an ACC and every ACC a product.
fn check_products(config: &Config, compute: &[Run], accumulate: &[Run], found: &mut Violations) {
    let latency = mm_latency(config);
    let mut products = all(compute).filter(|(run, _)| multiplies(run)).peekable();
    let mut last = None;
    let lost = |(run, issue): (&Run, Issue)| Violation::ResultLost {
        cycle: issue.cycle + latency,
        site: run.site(issue.cycle),
    };
    for (run, issue) in all(accumulate) {
        let visible = |product: &(&Run, Issue)| product.1.cycle + latency;
        while let Some(product) = products.next_if(|product| visible(product) < issue.cycle) {
            last = Some(visible(&product));
            found.push(lost(product));
        }
        if let Some(product) = products.next_if(|product| visible(product) == issue.cycle) {
            last = Some(visible(&product));
            continue;
        }
        let words = |cycle: Option<u64>, which: &str| {
            cycle.map_or(String::new(), |cycle| {
                format!("; the {which} is visible in cycle {cycle}")
            })
        };
        let near =
            words(last, "product before") + &words(products.peek().map(visible), "next product");
        found.push(Violation::ProductMissing {
            site: run.site(issue.cycle),
            near,
        });
    }
    products.for_each(|product| found.push(lost(product)));
}

fn initialises(mode: AccMode, issue: Issue) -> bool {
    match mode {
        AccMode::Never => false,
        AccMode::Inner => issue.j0 == 0,
        AccMode::Outer => issue.j1 == 0,
        AccMode::Always => true,
    }
}

/// Rows exist, and every sum has a beginning.
fn check_accumulators(config: &Config, runs: &[Run], found: &mut Violations) {
    let rows = config.mxm.accumulator_depth;
    let mut begun = vec![false; rows];
    for (run, issue) in all(runs) {
        let Operation::Accumulate { init, emit, .. } = run.operation else {
            continue;
        };
        let row = usize::from(issue.address);
        if row >= rows {
            found.push(Violation::AddressRange {
                site: run.site(issue.cycle),
                what: "accumulator row",
                address: row as u64,
                limit: rows as u64,
            });
            continue;
        }
        begun[row] |= initialises(init, issue);
        if !begun[row] {
            let verb = match emits(emit, run, issue.j0, issue.j1) {
                true => "emits",
                false => "adds to",
            };
            let text = format!("{verb} accumulator row {row}, which nothing has initialised");
            found.push(Violation::Sum {
                site: run.site(issue.cycle),
                hazard: text,
            });
        }
    }
}
