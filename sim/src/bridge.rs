//! The cxx bridge to the C++ simulator.

/// The functions that cross the language border; [`crate::Model`] is their safe face.
#[cxx::bridge(namespace = "lpu_sim")]
#[allow(missing_docs)]
pub(crate) mod ffi {
    unsafe extern "C++" {
        include!("lpu_sim/simulator.h");

        type Simulator;

        fn load_simulator(path: &str) -> Result<UniquePtr<Simulator>>;
        fn num_ports(&self) -> usize;
        fn port_name(&self, port: usize) -> &str;
        fn port_width(&self, port: usize) -> u32;
        fn port_is_input(&self, port: usize) -> bool;
        fn set(self: Pin<&mut Simulator>, port: usize, words: &[u64]);
        fn get(&self, port: usize, words: &mut [u64]);
        fn cycle(&self) -> u64;
        fn step(self: Pin<&mut Simulator>, cycles: u64);
        fn spin(self: Pin<&mut Simulator>, cycles: u64);
        fn run_until(self: Pin<&mut Simulator>, port: usize, value: u64, max_cycles: u64) -> bool;
        fn play(
            self: Pin<&mut Simulator>,
            inputs: &[usize],
            rows: &[u64],
            cycles: usize,
            outputs: &[usize],
            record: &mut Vec<u64>,
        );
        fn signal_width(self: Pin<&mut Simulator>, name: &str) -> u32;
        fn watch(self: Pin<&mut Simulator>, id: u32, valid: &str, payload: &[String]);
        fn enable_watches(self: Pin<&mut Simulator>, enable: bool);
        fn drain(self: Pin<&mut Simulator>, events: &mut Vec<u64>);
        fn open_trace(self: Pin<&mut Simulator>, path: &str, first: u64, last: u64) -> bool;
        fn close_trace(self: Pin<&mut Simulator>);
        fn save(self: Pin<&mut Simulator>, path: &str) -> bool;
        fn restore(self: Pin<&mut Simulator>, path: &str, cycle: u64) -> bool;
    }
}
