//! From the streams to the weight slots: group select, then slot routing.

use crate::info::Info;
use crate::prim::MuxRegister;
use crate::wiring::{assign, assign_low, signal};
use lpu_isa::Config;
use rust_hdl::core::ast::VerilogStatement;
use rust_hdl::prelude::*;

/// From the streams to the weight slots; multiplexers only.
///
/// ```text
/// clock             _/~\_/~\_/~\_
/// in_group_enable   ~~~~~________     in_group: which W streams
/// out_present           < p          of the selected group
/// in_slot_enable    ____~~~~~____     in_level: log2 of the streams in use, c
/// out_data                  < d      slot i: stream i mod c of the group
/// ```
///
/// The S streams are S/W groups of W. A group that does not exist is not present.
///
/// Parameters: L lanes, S streams, W slots. No reset: outputs follow the enables. What is missing the caller must decide
/// from `out_present` and c.
#[derive(Clone, Debug, LogicBlock)]
pub struct WeightSelect<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Takes a group.
    pub in_group_enable: Signal<In, Bit>,
    /// Which group.
    pub in_group: Signal<In, Bits<6>>,
    /// Routes the group to the slots.
    pub in_slot_enable: Signal<In, Bit>,
    /// log2 of the streams in use.
    pub in_level: Signal<In, Bits<6>>,
    /// Data of the streams.
    pub in_data: Vec<Signal<In, Bits<V>>>,
    /// Check bits of the streams.
    pub in_check: Vec<Signal<In, Bits<L>>>,
    /// Valid bits of the streams.
    pub in_valid: Vec<Signal<In, Bit>>,
    /// Valid bits of the group, one cycle after it was taken.
    pub out_present: Vec<Signal<Out, Bit>>,
    /// Data of the slots.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// Check bits of the slots.
    pub out_check: Vec<Signal<Out, Bits<L>>>,
    group_valid: Vec<MuxRegister<Bit>>,
    group_data: Vec<MuxRegister<Bits<V>>>,
    group_check: Vec<MuxRegister<Bits<L>>>,
    slot_data: Vec<MuxRegister<Bits<V>>>,
    slot_check: Vec<MuxRegister<Bits<L>>>,
    info: Info,
}

/// The group member that slot `slot` takes when `1 << level` streams are in use.
const fn member(slot: usize, level: usize) -> usize {
    slot % (1 << level)
}

/// Different members that slot `slot` can take: one for each level up to the first at which it takes its own.
const fn levels(slot: usize) -> usize {
    (usize::BITS - slot.leading_zeros()) as usize + 1
}

impl<const L: usize, const V: usize> WeightSelect<L, V> {
    /// Cycles from the streams to the slots.
    pub const LATENCY: usize = 2;

    /// The selection of a plane of this machine.
    pub fn new(config: &Config) -> Self {
        let (streams, slots) = (config.streams, config.mxm.weight_streams);
        let groups = streams / slots;
        Self {
            clock: Signal::default(),
            in_group_enable: Signal::default(),
            in_group: Signal::default(),
            in_slot_enable: Signal::default(),
            in_level: Signal::default(),
            in_data: (0..streams).map(|_| Signal::default()).collect(),
            in_check: (0..streams).map(|_| Signal::default()).collect(),
            in_valid: (0..streams).map(|_| Signal::default()).collect(),
            out_present: (0..slots).map(|_| Signal::default()).collect(),
            out_data: (0..slots).map(|_| Signal::default()).collect(),
            out_check: (0..slots).map(|_| Signal::default()).collect(),
            // One input more: a group that does not exist is not valid.
            group_valid: (0..slots).map(|_| MuxRegister::new(groups + 1)).collect(),
            group_data: (0..slots)
                .map(|_| MuxRegister::new(groups).low_bits())
                .collect(),
            group_check: (0..slots)
                .map(|_| MuxRegister::new(groups).low_bits())
                .collect(),
            slot_data: (0..slots).map(|i| MuxRegister::new(levels(i))).collect(),
            slot_check: (0..slots).map(|i| MuxRegister::new(levels(i))).collect(),
            info: Info::new("weight_select", file!())
                .summary("Group select and slot routing of the weight streams")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("WEIGHT_STREAMS", slots)
                .port("in_group_enable", "takes a group")
                .port("in_group", "which group")
                .port("in_slot_enable", "routes the group to the slots")
                .port("in_level", "log2 of the streams in use")
                .port("out_present", "valid bits of the group")
                .unused("in_level"),
        }
    }
}

impl<const L: usize, const V: usize> Logic for WeightSelect<L, V> {
    fn update(&mut self) {
        let slots = self.out_data.len();
        let groups = self.in_data.len() / slots;
        for i in 0..slots {
            self.group_valid[i].clock.next = self.clock.val();
            self.group_data[i].clock.next = self.clock.val();
            self.group_check[i].clock.next = self.clock.val();
            self.group_valid[i].enable.next = self.in_group_enable.val();
            self.group_data[i].enable.next = self.in_group_enable.val();
            self.group_check[i].enable.next = self.in_group_enable.val();
            self.group_valid[i].select.next = self.in_group.val();
            self.group_data[i].select.next = self.in_group.val();
            self.group_check[i].select.next = self.in_group.val();
            for g in 0..groups {
                self.group_valid[i].d[g].next = self.in_valid[g * slots + i].val();
                self.group_data[i].d[g].next = self.in_data[g * slots + i].val();
                self.group_check[i].d[g].next = self.in_check[g * slots + i].val();
            }
            self.group_valid[i].d[groups].next = false;
            self.slot_data[i].clock.next = self.clock.val();
            self.slot_check[i].clock.next = self.clock.val();
            self.slot_data[i].enable.next = self.in_slot_enable.val();
            self.slot_check[i].enable.next = self.in_slot_enable.val();
            self.slot_data[i].select.next = self.in_level.val();
            self.slot_check[i].select.next = self.in_level.val();
            for level in 0..levels(i) {
                self.slot_data[i].d[level].next = self.group_data[member(i, level)].q.val();
                self.slot_check[i].d[level].next = self.group_check[member(i, level)].q.val();
            }
            self.out_present[i].next = self.group_valid[i].q.val();
            self.out_data[i].next = self.slot_data[i].q.val();
            self.out_check[i].next = self.slot_check[i].q.val();
        }
    }

    fn connect(&mut self) {
        fn inputs<T: Synth>(muxes: &mut [MuxRegister<T>]) {
            for mux in muxes {
                mux.clock.connect();
                mux.enable.connect();
                mux.select.connect();
                mux.d.iter_mut().for_each(Logic::connect);
            }
        }
        inputs(&mut self.group_valid);
        inputs(&mut self.group_data);
        inputs(&mut self.group_check);
        inputs(&mut self.slot_data);
        inputs(&mut self.slot_check);
        self.out_present.iter_mut().for_each(Logic::connect);
        self.out_data.iter_mut().for_each(Logic::connect);
        self.out_check.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let slots = self.out_data.len();
        let groups = self.in_data.len() / slots;
        let mut text: Vec<VerilogStatement> = vec![];
        for i in 0..slots {
            for part in ["valid", "data", "check"] {
                let to = |port: &str| format!("group_{part}${i}${port}");
                text.push(assign(to("clock"), signal("clock")));
                text.push(assign(to("enable"), signal("in_group_enable")));
                text.push(assign(to("select"), signal("in_group")));
                for g in 0..groups {
                    let stream = format!("in_{part}${}", g * slots + i);
                    text.push(assign(to(&format!("d${g}")), signal(stream)));
                }
            }
            text.push(assign_low(format!("group_valid${i}$d${groups}")));
            for part in ["data", "check"] {
                let to = |port: &str| format!("slot_{part}${i}${port}");
                text.push(assign(to("clock"), signal("clock")));
                text.push(assign(to("enable"), signal("in_slot_enable")));
                text.push(assign(to("select"), signal("in_level")));
                for level in 0..levels(i) {
                    let from = format!("group_{part}${}$q", member(i, level));
                    text.push(assign(to(&format!("d${level}")), signal(from)));
                }
                text.push(assign(
                    format!("out_{part}${i}"),
                    signal(format!("slot_{part}${i}$q")),
                ));
            }
            text.push(assign(
                format!("out_present${i}"),
                signal(format!("group_valid${i}$q")),
            ));
        }
        Verilog::Combinatorial(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn slots_take_the_members_in_turn() {
        let config = Config::preset("nano").unwrap();
        let (streams, slots) = (config.streams, config.mxm.weight_streams);
        let mut select = WeightSelect::<8, 64>::new(&config);
        select.connect_all();
        for s in 0..streams {
            select.in_data[s].next = Bits::from(0x100 + s as u64);
            select.in_check[s].next = Bits::from(s as u64);
            select.in_valid[s].next = s != 6;
        }
        for group in 0..=streams / slots {
            for level in 0..=slots.ilog2() as usize {
                select.in_group_enable.next = true;
                select.in_slot_enable.next = false;
                select.in_group.next = Bits::from(group as u64);
                cycle(&mut select, |select, level| {
                    select.clock.next = Clock::from(level)
                });
                let present: Vec<bool> = select.out_present.iter().map(|p| p.val()).collect();
                let expected: Vec<bool> = (0..slots)
                    .map(|i| group < streams / slots && group * slots + i != 6)
                    .collect();
                assert_eq!(present, expected, "group {group}");
                select.in_group_enable.next = false;
                select.in_slot_enable.next = true;
                select.in_level.next = Bits::from(level as u64);
                cycle(&mut select, |select, level| {
                    select.clock.next = Clock::from(level)
                });
                for i in 0..slots {
                    let stream = (group * slots + i % (1 << level)) as u64;
                    if group < streams / slots {
                        assert_eq!(select.out_data[i].val().to_u64(), 0x100 + stream);
                        assert_eq!(select.out_check[i].val().to_u64(), stream);
                    }
                }
            }
        }
    }
}
