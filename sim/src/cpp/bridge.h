// What Rust sees of a model: the abstract class, and functions that turn Rust slices into the pointers it takes.
#pragma once

#include "lpu-sim/include/model.h"
#include "rust/cxx.h"

#include <memory>

namespace lpu::sim {

std::unique_ptr<Model> create(std::size_t factory);
rust::String name_of(const Model& model, uint32_t slot);
rust::String stop_reason_of(const Model& model);
int32_t find_signal(Model& model, rust::Str scope, rust::Str signal);
void set_words(Model& model, uint32_t slot, rust::Slice<const uint64_t> words);
void get_words(const Model& model, uint32_t slot, rust::Slice<uint64_t> words);
bool play(Model& model, rust::Slice<const uint32_t> inputs, rust::Slice<const uint64_t> rows, uint64_t num_rows,
          rust::Slice<const uint32_t> outputs, rust::Slice<uint64_t> record);
void add_watch(Model& model, uint32_t id, uint32_t group, uint32_t valid, rust::Slice<const uint32_t> payload);
void drain_events(Model& model, rust::Slice<uint64_t> into);
void take_image(Model& model, rust::Slice<uint8_t> into);
bool restore(Model& model, rust::Slice<const uint8_t> image);
bool open_trace(Model& model, rust::Str path, uint64_t first_cycle, uint64_t end_cycle);

}  // namespace lpu::sim
