//! Which format is in which stage of the array.

use super::Formats;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use rust_hdl::prelude::*;

/// Which format is in which stage of the array: an activation takes that of the weights that it meets.
///
/// ```text
/// clock        _/~\_/~\_  .. _/~\_
/// in_valid     /~~~\__________________     the activation meets the active weights
/// in_format    X f X
/// out_block    0   1      .. its stages, if f is NVFP4
/// out_format                     X f      with the dot product
/// ```
///
/// Parameters: L lanes, formats. Reset clears `out_block`.
#[derive(Clone, Debug, LogicBlock)]
pub struct FormatPipeline {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// There is an activation.
    pub in_valid: Signal<In, Bit>,
    /// The format of the active weights.
    pub in_format: Signal<In, Bits<2>>,
    /// NVFP4 enters stage j.
    pub out_block: Vec<Signal<Out, Bit>>,
    /// The format of the dot product.
    pub out_format: Signal<Out, Bits<2>>,
    format: Vec<Pipe<Bits<2>>>,
    block: Vec<Flop<Bit>>,
    info: Info,
    _stages: usize,
    _blocks: usize,
    _nvfp4: usize,
}

impl FormatPipeline {
    /// For `lanes` lanes and these formats.
    pub fn new(lanes: usize, formats: Formats) -> Self {
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        let (stages, blocks) = (formats.stages(lanes), formats.block_stages());
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_valid: Signal::default(),
            in_format: Signal::default(),
            out_block: many(blocks),
            out_format: Signal::default(),
            format: many(stages),
            block: many(blocks.saturating_sub(1)),
            info: Info::new("mxm_format_pipeline", file!())
                .summary("Which format is in which stage of the array")
                .param("STAGES", stages)
                .param("FORMATS", formats)
                .port("in_format", "0 int8, 1 E4M3, 2 NVFP4")
                .port("out_block", "j: NVFP4 enters stage j")
                .port("out_format", "of the dot product")
                .unused("in_valid")
                .unused("reset"),
            _stages: stages,
            _blocks: blocks,
            _nvfp4: usize::from(formats.nvfp4),
        }
    }
}

impl Logic for FormatPipeline {
    #[hdl_gen]
    fn update(&mut self) {
        for j in 0..self._stages {
            self.format[j].clock.next = self.clock.val();
        }
        self.format[0].d.next = self.in_format.val();
        for j in 1..self._stages {
            self.format[j].d.next = self.format[j - 1].q.val();
        }
        self.out_format.next = self.in_format.val();
        for j in 0..self._stages {
            self.out_format.next = self.format[j].q.val();
        }
        for j in 0..self._nvfp4 {
            self.out_block[j].next = self.in_valid.val() & (self.in_format.val() == 2);
            self.block[j].d.next = self.in_valid.val() & (self.in_format.val() == 2);
        }
        for j in 1..self._blocks {
            self.out_block[j].next = self.block[j - 1].q.val();
            self.block[j - 1].clock.next = self.clock.val();
            self.block[j - 1].reset.next = self.reset.val();
            self.block[j - 1].enable.next = true;
        }
        for j in 2..self._blocks {
            self.block[j - 1].d.next = self.block[j - 2].q.val();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn a_format_arrives_with_its_dot_product() {
        let formats = Formats {
            e4m3: false,
            nvfp4: true,
        };
        let mut pipeline = FormatPipeline::new(8, formats);
        pipeline.connect_all();
        let (stages, blocks) = (formats.stages(8), formats.block_stages());
        for now in 0..stages + 3 {
            pipeline.in_valid.next = now == 0;
            pipeline.in_format.next = Bits::from(if now == 0 { 2 } else { 1 });
            assert!(simulate(&mut pipeline, 10));
            let high: Vec<usize> = (0..blocks)
                .filter(|&j| pipeline.out_block[j].val())
                .collect();
            let expected: Vec<usize> = (0..blocks).filter(|&j| j == now).collect();
            if now > 0 {
                assert_eq!(high, expected, "cycle {now}");
            }
            let format = if now == stages { 2 } else { 1 };
            if now >= stages {
                assert_eq!(pipeline.out_format.val().to_u64(), format, "cycle {now}");
            }
            cycle(&mut pipeline, |pipeline, level| {
                pipeline.clock.next = Clock::from(level);
            });
        }
    }
}
