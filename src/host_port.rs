//! Transactions on the host port of a simulated tile.

use lpu_isa::latency::HOST_LATENCY;
use lpu_sim::{Model, PortId, SimError};

/// Requests in one call of the model, so that memory stays bounded.
const BATCH: usize = 1 << 16;

/// A request: one 64-bit word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Reads the word at an address.
    Read(u32),
    /// Writes the word at an address.
    Write(u32, u64),
}

/// The answer to a request: its data, or the tile's refusal.
pub type Answer = Result<u64, u64>;

/// The ports of the tile.
pub struct HostPort {
    inputs: [PortId; 4],
    outputs: [PortId; 3],
}

impl HostPort {
    /// The host port of a model of a tile.
    pub fn new(model: &Model) -> Result<Self, SimError> {
        let port = |name: &str| model.port(name);
        Ok(Self {
            inputs: [
                port("in_host_valid")?,
                port("in_host_write")?,
                port("in_host_address")?,
                port("in_host_data")?,
            ],
            outputs: [
                port("out_host_valid")?,
                port("out_host_error")?,
                port("out_host_data")?,
            ],
        })
    }

    /// Sends one request a cycle and returns the answers in order.
    ///
    /// The answer to a request on the inputs in cycle h is visible in cycle h + `HOST_LATENCY`; the port is idle afterwards.
    pub fn transact(&self, model: &mut Model, requests: &[Request]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            let idle = HOST_LATENCY as usize;
            let mut rows = Vec::with_capacity(4 * (batch.len() + idle));
            for request in batch {
                rows.extend(match *request {
                    Request::Read(address) => [1, 0, address.into(), 0],
                    Request::Write(address, data) => [1, 1, address.into(), data],
                });
            }
            rows.resize(4 * (batch.len() + idle), 0);
            let mut record = Vec::new();
            model.play(&self.inputs, &rows, &self.outputs, &mut record);
            let visible = record.chunks_exact(3).skip(idle - 1);
            answers.extend(visible.take(batch.len()).map(|answer| match *answer {
                [1, 0, data] => Ok(data),
                [_, _, data] => Err(data),
                _ => unreachable!("rows of three words"),
            }));
        }
        answers
    }

    /// Sends one request and lets the clock run only to the end of its cycle.
    pub fn post(&self, model: &mut Model, address: u32, data: u64) {
        let rows = [1, 1, address.into(), data];
        model.play::<PortId>(&self.inputs, &rows, &[], &mut Vec::new());
        for port in self.inputs {
            model.set(port, 0);
        }
    }
}
