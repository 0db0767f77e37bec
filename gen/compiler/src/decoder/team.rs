//! The chips of a rack on one step: each computes its share of every product, and what all need goes to all by their links.
//!
//! Every chip has all rows of x, all keys and values. Shared out are the columns of the products, and the heads of keys of each
//! sequence in attention, unless a chip does all of them sooner; after each comes an all-gather: codes of queries, keys and values, of
//! what attention gives, x, codes of h, x.

use super::attend::{Driven, Half, Item, Target};
use super::choice::Order;
use super::layout::{Attention, Layout};
use super::plan::Plan;
use super::scheduler::{Arrival, Links, Passes, Sent, Work};
use super::step::Step;
use crate::CompileError;
use crate::alu::PLANES;
use crate::nest::{Level, Nest};
use crate::place::Place;
use lpu_isa::descriptor::{Format, Source};
use lpu_isa::latency::{RECEIVE_LATENCY, SEND_LATENCY};
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Descriptor, Operation, Program, Queue, QueueKind, Stream};

/// When the last vectors of each head of keys and of values were driven towards the cache.
#[derive(Clone)]
struct Filled {
    keys: Driven,
    values: Driven,
}

/// A step of every chip.
struct Team<'a> {
    rack: Rack,
    steps: Vec<Step<'a>>,
}

/// The programs of all layers, one for each chip.
pub fn programs(
    config: &Config,
    rack: &Rack,
    plans: &[Plan],
    layouts: &[Layout],
) -> Result<Vec<Program>, CompileError> {
    let chips = plans.iter().zip(layouts);
    let links = Links::all(rack);
    let mut team = Team {
        rack: *rack,
        steps: chips
            .map(|(plan, layout)| Step::new(config, plan, layout, links.clone()))
            .collect(),
    };
    team.layers()?;
    lower(config, team.steps)
}

/// The programs of steps that begin in the same cycle.
pub fn lower(config: &Config, steps: Vec<Step<'_>>) -> Result<Vec<Program>, CompileError> {
    let streams = steps[0].plan.streams;
    let timelines: Vec<_> = steps
        .into_iter()
        .map(|step| step.scheduler.timeline(streams))
        .collect();
    // All chips begin in the same cycle.
    let firsts = timelines
        .iter()
        .filter_map(|(timeline, _)| timeline.first());
    let origin = firsts.min().unwrap_or(0);
    timelines
        .into_iter()
        .map(|(timeline, pool)| {
            let mut program = timeline.lower_from(config, origin)?;
            pool.describe(&mut program);
            Ok(program)
        })
        .collect()
}

impl<'a> Team<'a> {
    fn layers(&mut self) -> Result<(), CompileError> {
        for step in &mut self.steps {
            step.rows_of_x()?;
            step.tables()?;
        }
        for number in 0..self.steps[0].layout.layers.len() {
            self.attention(number)?;
            self.feed_forward(number)?;
        }
        for step in &mut self.steps {
            step.results()?;
        }
        Ok(())
    }

    fn attention(&mut self, number: usize) -> Result<(), CompileError> {
        let shape = &self.steps[0].plan.shape;
        let (heads, sequences) = (shape.kv_heads, shape.sequences);
        let none = Filled {
            keys: vec![i64::MIN; heads],
            values: vec![i64::MIN; heads],
        };
        let mut filled = vec![none; self.steps.len()];
        for (step, filled) in self.steps.iter_mut().zip(&mut filled) {
            let layer = attention_of(step.layout, number);
            step.normalise()?;
            let [keys, queries, values] = step.plan.owned_heads();
            let target = Target::Cache(Half::Keys, &layer.keys);
            let driven = step.rotated(&layer.key, &keys, target)?;
            for (head, at) in keys.into_iter().zip(driven) {
                filled.keys[head] = at;
            }
            step.rotated(&layer.query, &queries, Target::Operands)?;
            let mut placed = vec![None; heads];
            for head in values {
                filled.values[head] = step.values_once(layer, head, &mut placed)?;
            }
        }
        self.deliver(Some(number), &mut filled)?;
        for (step, filled) in self.steps.iter_mut().zip(&filled) {
            let layer = attention_of(step.layout, number);
            let share = step.plan.attention;
            let items = (0..sequences * heads).map(|index| Item {
                index,
                sequence: index % sequences,
                head: index / sequences,
            });
            let items = items.filter(|item| share.owns(item.index)).enumerate();
            let items: Vec<Item> = items.map(|(index, item)| Item { index, ..item }).collect();
            // No column fills the time of a softmax, so that those of as many heads as there are buffers overlap. Either all scores
            // are placed before them, or each head's behind its own.
            let scores_first = step.plan.order == Order::ValuesLast;
            for items in items.chunks(step.plan.registers.buffers) {
                for &item in items {
                    step.scores(layer, item, filled.keys[item.head])?;
                    if !scores_first {
                        step.softmax(number, item)?;
                    }
                }
                for &item in items.iter().filter(|_| scores_first) {
                    step.softmax(number, item)?;
                }
                for &item in items {
                    step.attend(layer, item, filled.values[item.head])?;
                }
            }
        }
        self.deliver(None, &mut [])?;
        for step in &mut self.steps {
            let layer = attention_of(step.layout, number);
            step.add_product(&layer.output, step.plan.rows.attended)?;
        }
        self.deliver(None, &mut [])
    }

    fn feed_forward(&mut self, number: usize) -> Result<(), CompileError> {
        for step in &mut self.steps {
            let layout = step.layout;
            step.hidden_rows(&layout.layers[number].network)?;
        }
        self.deliver(None, &mut [])?;
        for step in &mut self.steps {
            let layout = step.layout;
            let down = &layout.layers[number].network.down;
            step.add_product(down, step.plan.rows.hidden)?;
        }
        self.deliver(None, &mut [])
    }

    /// Places what the others do with what was sent since the last call; `layer` is the one whose caches it is for.
    fn deliver(&mut self, layer: Option<usize>, filled: &mut [Filled]) -> Result<(), CompileError> {
        let steps = self.steps.iter_mut().enumerate();
        let mut sent: Vec<(usize, Sent)> = steps
            .flat_map(|(chip, step)| {
                let sent = step.scheduler.take_sent().into_iter();
                sent.map(move |sent| (chip, sent))
            })
            .collect();
        sent.sort_by_key(|(chip, sent)| (sent.issue, *chip));
        for (from, Sent { what, issue }) in sent {
            for chip in (0..self.steps.len()).filter(|&chip| chip != from) {
                let link = (0..self.rack.links())
                    .find(|&link| {
                        self.rack
                            .peer(chip, link)
                            .is_some_and(|peer| peer.0 == from)
                    })
                    .expect("every chip has a link to every other");
                let ready = issue + (SEND_LATENCY + self.rack.hop()) as i64;
                let step = &mut self.steps[chip];
                let driven = step.receive(link, ready, what, layer)?;
                if let Arrival::Cache { half, head, .. } = what {
                    let times = match half {
                        Half::Keys => &mut filled[chip].keys,
                        Half::Values => &mut filled[chip].values,
                    };
                    times[head] = times[head].max(driven);
                }
            }
        }
        Ok(())
    }
}

fn attention_of(layout: &Layout, number: usize) -> &Attention {
    let attention = layout.layers[number].attention.as_ref();
    attention.expect("whole layers")
}

impl Step<'_> {
    /// Takes what another chip has sent, which is there from cycle `ready` on. Of vectors for a cache: when the vector unit would have
    /// driven them to be there as early.
    pub fn receive(
        &mut self,
        link: usize,
        ready: i64,
        what: Arrival,
        layer: Option<usize>,
    ) -> Result<i64, CompileError> {
        let (plan, layout) = (self.plan, self.layout);
        let count = match what {
            Arrival::Row { count, .. } => count,
            _ => plan.shape.sequences,
        };
        let stream = plan.word_stream;
        let mut work = Work::default();
        let word = matches!(what, Arrival::X { .. });
        let passing = self.scheduler.receive(&mut work, link, stream, count, word);
        work.from = ready;
        match what {
            Arrival::Cache {
                half,
                head,
                element,
            } => {
                let layer = attention_of(layout, layer.expect("caches belong to a layer"));
                let cache = match half {
                    Half::Keys => &layer.keys,
                    Half::Values => &layer.values,
                };
                let offset = layout.cache_offset(0, head, 0, element);
                let stride = layout.cache_offset(1, 0, 0, 0);
                for &Place { slice, address } in &cache.places {
                    let start = (RECEIVE_LATENCY as usize + slice) as i64;
                    let levels = [Level::new(count, 1, stride)];
                    let nest = Nest::free(start, address + offset, &levels);
                    let stream = Stream::east(stream);
                    let queue = Queue::new(QueueKind::MemWrite, slice);
                    work.burst.push(queue, Operation::Write { stream }, nest);
                }
            }
            Arrival::Row { row, stride, .. } => {
                let way = self.config().mxm_position() - self.config().vxm_position();
                let start = passing + way as i64;
                self.scheduler
                    .load_arrival(&mut work, start, stream, count, [row, stride]);
            }
            Arrival::X { tile } => {
                let taken = Descriptor {
                    source: Source::Stream(Format::Fp32),
                    write: Some(0),
                    ..Descriptor::default()
                };
                // Passes of one instruction have their queue to themselves from the first to the last: where words rest, others need the time.
                let interval = self.scheduler.word_interval();
                let together = if interval > PLANES { 1 } else { count };
                for first in (0..count).step_by(together) {
                    let passes = Passes {
                        start: passing + (first * interval) as i64,
                        row: plan.registers.x(first, tile),
                        count: together,
                        interval,
                        stride: plan.registers.sequence_size,
                    };
                    self.scheduler
                        .pass(&mut work, Stream::east(stream), passes, taken)?;
                }
            }
        }
        let cycle = self.scheduler.place(work)?;
        let last = cycle + count as i64 - 1;
        let back = self.config().vxm_position() as i64 - 1;
        Ok(last + RECEIVE_LATENCY as i64 - back)
    }
}
