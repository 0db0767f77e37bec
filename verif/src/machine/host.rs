//! What the host does between launches, and peeks for tests.

use super::{Command, Flit, Machine, c2c};
use crate::Vector;
use crate::c2c::ProgramClock;
use crate::secded::{self, Decoded};
use crate::vector::DecodeCount;
use lpu_isa::Program;
use lpu_isa::secded::LANES_PER_CODEWORD;

/// Why a program does not fit the machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Made for a machine with another number of queues.
    #[error("the program has {0} queues, the machine {1}: make it for the same configuration")]
    Queues(usize, usize),
    /// More instructions than the queue's memory takes.
    #[error("queue {queue} has {length} instructions, its memory takes {depth}")]
    TooLong {
        /// Queue id.
        queue: usize,
        /// Instructions in the program.
        length: usize,
        /// Instructions that fit.
        depth: usize,
    },
}

/// A host read met an uncorrectable codeword; the answer carries the data as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("uncorrectable codeword, stored data {0:#018x}")]
pub struct HostReadError(pub u64);

impl Machine {
    /// Loads a program into all queues.
    ///
    /// A queue's memory ends with the last instruction of its list: hardware agrees if the list ends in
    /// END or fills the memory.
    pub fn load(&mut self, program: &Program) -> Result<(), LoadError> {
        if program.num_queues() != self.queues.len() {
            return Err(LoadError::Queues(program.num_queues(), self.queues.len()));
        }
        for queue in 0..self.queues.len() {
            self.check_length(queue, program.queue(queue).len())?;
        }
        for (id, queue) in self.queues.iter_mut().enumerate() {
            queue.load(program.queue(id));
        }
        if let Some(vxm) = &mut self.vxm {
            for (&index, &descriptor) in program.descriptors() {
                vxm.descriptors[index] = descriptor;
            }
        }
        if let Some(sxm) = &mut self.sxm {
            for (&index, lanes) in program.maps() {
                sxm.maps[index].clone_from(lanes);
            }
        }
        Ok(())
    }

    /// Register `row` of the vector unit, if there is one.
    pub fn vector_register(&self, row: usize) -> Option<&[u32]> {
        self.vxm.as_ref().map(|vxm| vxm.register(row))
    }

    /// A flit comes by a link: a RECEIVE issued in `flit.cycle` of the launch or later finds it, behind those that came before.
    ///
    /// # Panics
    /// If there is no such link, or the flit is out of order.
    pub fn arrive(&mut self, flit: Flit) {
        let links = self.c2c.as_mut().expect("a machine with links");
        links.arrive(flit);
    }

    /// The flits that have left since the last call, in the order of their cycles.
    pub fn take_sent(&mut self) -> Vec<Flit> {
        self.c2c
            .as_mut()
            .map(|c2c| c2c.take_sent())
            .unwrap_or_default()
    }

    /// Flits that have come by links and that no RECEIVE has taken.
    pub fn waiting_flits(&self) -> usize {
        self.c2c.as_ref().map_or(0, c2c::C2c::waiting)
    }

    /// Sets the clock of a link: when a DESKEW or RUNTIME_DESKEW goes on. It begins anew with each launch.
    ///
    /// # Panics
    /// If there is no such link.
    pub fn set_clock(&mut self, link: usize, clock: ProgramClock) {
        *self.clock(link) = clock;
    }

    /// The clock of a link.
    ///
    /// # Panics
    /// If there is no such link.
    pub fn clock(&mut self, link: usize) -> &mut ProgramClock {
        let links = self.c2c.as_mut().expect("a machine with links");
        links.clock(link)
    }

    /// The DESKEWs and RUNTIME_DESKEWs that have issued since the last call.
    pub fn take_commands(&mut self) -> Vec<Command> {
        self.c2c
            .as_mut()
            .map(|c2c| c2c.take_commands())
            .unwrap_or_default()
    }

    fn check_length(&self, queue: usize, length: usize) -> Result<(), LoadError> {
        let depth = self.config.icu.queue_depth;
        if length <= depth {
            return Ok(());
        }
        Err(LoadError::TooLong {
            queue,
            length,
            depth,
        })
    }

    /// Sets the base register of a MEM queue.
    ///
    /// # Panics
    /// If the queue is not a MEM queue.
    pub fn set_base(&mut self, queue: usize, base: u16) {
        assert!(
            self.units[queue].is_mem(),
            "{} has no base",
            self.units[queue]
        );
        self.bases[queue] = base;
    }

    /// A vector of SRAM as stored, without counting errors.
    ///
    /// # Panics
    /// If there is no such slice or address.
    pub fn sram(&self, slice: usize, address: usize) -> Vector {
        let mut vector = Vector::default();
        self.mem.srams[slice].read(address, &mut vector);
        vector
    }

    /// Stores a vector with its check bits as they are, so that errors can be injected.
    ///
    /// # Panics
    /// If there is no such slice or address.
    pub fn write_sram(&mut self, slice: usize, address: usize, vector: &Vector) {
        let mut found = *vector;
        let codewords = self.config.lanes / LANES_PER_CODEWORD;
        self.shared.spoiled |= found.correct(codewords) != DecodeCount::default();
        self.mem.srams[slice].write(address, vector);
    }

    /// A host read of codeword `codeword`: decoded, with errors counted on the host.
    pub fn host_read(
        &mut self,
        slice: usize,
        address: usize,
        codeword: usize,
    ) -> Result<u64, HostReadError> {
        let stored = self.sram(slice, address);
        let decoded = secded::decode(stored.data[codeword], stored.check[codeword]);
        self.count_host(DecodeCount {
            corrected: matches!(decoded, Decoded::Corrected(_)).into(),
            uncorrectable: matches!(decoded, Decoded::Uncorrectable(_)).into(),
        });
        match decoded {
            Decoded::Uncorrectable(data) => Err(HostReadError(data)),
            good => Ok(good.data()),
        }
    }

    /// A host write of codeword `codeword`: encoded, then XORed with the INJECT masks.
    pub fn host_write(
        &mut self,
        slice: usize,
        address: usize,
        codeword: usize,
        data: u64,
        inject: (u64, u8),
    ) {
        assert!(codeword < self.config.lanes / LANES_PER_CODEWORD);
        let mut vector = self.sram(slice, address);
        vector.data[codeword] = data ^ inject.0;
        vector.check[codeword] = secded::encode(data) ^ inject.1;
        self.write_sram(slice, address, &vector);
    }

    /// Accumulator row `row` of plane `plane`: the low 32 bits, all that int8 uses.
    pub fn accumulators(&self, plane: usize, row: usize) -> Vec<i32> {
        let low = |sum: &i64| *sum as i32;
        self.sums(plane, row).0.iter().map(low).collect()
    }

    /// The sums of an accumulator row in the unit of their format, and the lanes (one a bit) that are a NaN.
    pub fn sums(&self, plane: usize, row: usize) -> (&[i64], u64) {
        let (lanes, plane) = (self.config.lanes, &self.mxm.planes[plane]);
        let sums = &plane.accumulators[row * lanes..][..lanes];
        (sums, plane.nans[row] & u64::MAX >> (64 - lanes))
    }

    /// Active weight k, n of plane `plane`.
    pub fn active_weight(&self, plane: usize, k: usize, n: usize) -> i8 {
        self.mxm.planes[plane].active[k * self.config.lanes + n] as i8
    }

    /// Scale of block g of column n of the active weights of plane `plane`, in a machine with NVFP4.
    pub fn active_scale(&self, plane: usize, g: usize, n: usize) -> u8 {
        self.mxm.planes[plane].active_scales[g * self.config.lanes + n]
    }
}
