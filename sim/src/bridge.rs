//! The cxx bridge to the abstract C++ class of every compiled model.

#[cxx::bridge(namespace = "lpu::sim")]
pub(crate) mod ffi {
    // Sound because src/cpp/bridge.cc keeps no reference beyond a call, and the safe wrappers in `model` check every slot
    // number, value width and slice length before they call.
    unsafe extern "C++" {
        include!("lpu-sim/src/cpp/bridge.h");

        type Model;

        /// # Safety
        /// `factory` is the address of `lpu_sim_create` in a library built against this version of include/model.h that
        /// stays loaded for as long as the model lives.
        unsafe fn create(factory: usize) -> UniquePtr<Model>;

        fn port_count(self: &Model) -> u32;
        fn width(self: &Model, slot: u32) -> u32;
        fn direction(self: &Model, slot: u32) -> u32;
        fn name_of(model: &Model, slot: u32) -> String;
        fn find_signal(model: Pin<&mut Model>, scope: &str, signal: &str) -> i32;

        fn set(self: Pin<&mut Model>, slot: u32, value: u64);
        fn get(self: &Model, slot: u32) -> u64;
        fn set_words(model: Pin<&mut Model>, slot: u32, words: &[u64]);
        fn get_words(model: &Model, slot: u32, words: &mut [u64]);

        fn settle(self: Pin<&mut Model>) -> bool;
        fn step(self: Pin<&mut Model>, cycles: u64) -> bool;
        fn step_bare(self: Pin<&mut Model>, cycles: u64) -> bool;
        fn run_until(self: Pin<&mut Model>, slot: u32, value: u64, max_cycles: u64) -> u64;
        fn play(
            model: Pin<&mut Model>,
            inputs: &[u32],
            rows: &[u64],
            num_rows: u64,
            outputs: &[u32],
            record: &mut [u64],
        ) -> bool;
        fn cycle(self: &Model) -> u64;
        fn stop_reason_of(model: &Model) -> String;

        fn add_watch(model: Pin<&mut Model>, id: u32, group: u32, valid: u32, payload: &[u32]);
        fn enable_groups(self: Pin<&mut Model>, mask: u64);
        fn event_words(self: &Model) -> usize;
        fn drain_events(model: Pin<&mut Model>, into: &mut [u64]);

        fn save(self: Pin<&mut Model>) -> usize;
        fn take_image(model: Pin<&mut Model>, into: &mut [u8]);
        fn restore(model: Pin<&mut Model>, image: &[u8]) -> bool;

        fn open_trace(model: Pin<&mut Model>, path: &str, first_cycle: u64, end_cycle: u64)
        -> bool;
        fn close_trace(self: Pin<&mut Model>);
    }
}

// SAFETY: a model owns its Verilated context, its design and its buffers; nothing in them belongs to a thread, and the
// shared object has no mutable globals that two models share without Verilator's own locks.
unsafe impl Send for ffi::Model {}
