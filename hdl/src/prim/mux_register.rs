//! A register with a multiplexer in front of it.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Inputs a [`MuxRegister`] can have at most.
pub const MAX_INPUTS: usize = 64;

/// A register with a multiplexer in front of it: one of 1 to [`MAX_INPUTS`] values, for the datapath.
///
/// A rising edge of `clock` with `enable` high moves `d[select]` to `q`; a `select` beyond the last input takes the last.
/// Latency: one cycle. No reset: undefined until the first enabled edge.
///
/// The selection is inside the enabled process, so that neither simulation nor hardware does anything with wide values
/// in cycles that do not need them.
#[derive(Clone, Debug, LogicBlock)]
pub struct MuxRegister<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads the selected value when high.
    pub enable: Signal<In, Bit>,
    /// Which input.
    pub select: Signal<In, Bits<6>>,
    /// The inputs.
    pub d: Vec<Signal<In, T>>,
    /// The value taken last.
    pub q: Signal<Out, T>,
    info: Info,
    _low_bits: bool,
}

impl<T: Synth> MuxRegister<T> {
    /// Cycles from `d` to `q`.
    pub const LATENCY: usize = 1;

    /// A register that takes one of `inputs` values.
    pub fn new(inputs: usize) -> Self {
        assert!(
            (1..=MAX_INPUTS).contains(&inputs),
            "{inputs} inputs; 1 to {MAX_INPUTS} are possible"
        );
        Self {
            clock: Signal::default(),
            enable: Signal::default(),
            select: Signal::default(),
            d: (0..inputs).map(|_| Signal::default()).collect(),
            q: Signal::default(),
            info: Info::new("mux_register", file!())
                .summary("Register with a multiplexer in front of it")
                .param("INPUTS", inputs)
                .param("WIDTH", T::BITS)
                .port("select", "beyond the last input: the last one")
                .unused("select"),
            _low_bits: false,
        }
    }

    /// Looks only at as many bits of `select` as the number of inputs needs, so that a smaller decoder stands in front of the
    /// inputs; what a `select` beyond the last input takes is then any of them.
    #[must_use]
    pub fn low_bits(mut self) -> Self {
        self._low_bits = true;
        self.info = self.info.param("SELECT", "low_bits");
        self
    }

    /// Bits of `select` that are looked at.
    fn select_bits(&self) -> u32 {
        match self._low_bits {
            true => self.d.len().next_power_of_two().ilog2(),
            false => 6,
        }
    }
}

impl<T: Synth> Logic for MuxRegister<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.enable.val() {
            let select = self.select.val().index() & ((1 << self.select_bits()) - 1);
            let input = select.min(self.d.len() - 1);
            self.q.next = self.d[input].val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let last = self.d.len() - 1;
        if last == 0 {
            return Verilog::Custom("always @(posedge clock) if (enable) q <= d$0;".into());
        }
        let bits = self.select_bits();
        let select = match bits {
            6 => "select".to_owned(),
            1 => "select[0]".to_owned(),
            _ => format!("select[{}:0]", bits - 1),
        };
        let arms: String = (0..last)
            .map(|i| format!("      {bits}'d{i}: q <= d${i};\n"))
            .collect();
        Verilog::Custom(format!(
            "always @(posedge clock)\n  if (enable)\n    case ({select})\n{arms}      default: q <= d${last};\n    endcase"
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let mut inputs = vec!["enable".to_owned(), "select".to_owned()];
        inputs.extend((0..self.d.len()).map(|i| format!("d${i}")));
        vec![TimingInfo {
            name: "mux_register".into(),
            clock: "clock".into(),
            inputs,
            outputs: vec!["q".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn takes_the_selected_value_and_holds() {
        let mut mux = MuxRegister::<Bits<8>>::new(3);
        mux.connect_all();
        for (i, d) in mux.d.iter_mut().enumerate() {
            d.next = Bits::from(10 + i as u64);
        }
        // (enable, select) in one cycle -> q after its edge
        for (enable, select, q) in [
            (true, 1, 11),
            (false, 0, 11),
            (true, 0, 10),
            (true, 2, 12),
            (true, 1, 11),
            (true, 63, 12),
        ] {
            mux.enable.next = enable;
            mux.select.next = Bits::from(select);
            cycle(&mut mux, |mux, level| mux.clock.next = Clock::from(level));
            assert_eq!(mux.q.val().to_u64(), q, "select {select}");
        }
    }

    #[test]
    fn low_bits_alone_select() {
        let mut mux = MuxRegister::<Bits<8>>::new(3).low_bits();
        mux.connect_all();
        for (i, d) in mux.d.iter_mut().enumerate() {
            d.next = Bits::from(10 + i as u64);
        }
        mux.enable.next = true;
        for (select, q) in [(0, 10), (1, 11), (2, 12), (4, 10), (61, 11)] {
            mux.select.next = Bits::from(select);
            cycle(&mut mux, |mux, level| mux.clock.next = Clock::from(level));
            assert_eq!(mux.q.val().to_u64(), q, "select {select}");
        }
    }

    #[test]
    #[should_panic(expected = "0 inputs; 1 to 64 are possible")]
    fn needs_an_input() {
        let _ = MuxRegister::<Bit>::new(0);
    }
}
