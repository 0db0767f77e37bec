#include "lpu-sim/src/cpp/bridge.h"

#include <string>

namespace lpu::sim {

std::unique_ptr<Model> create(std::size_t factory) { return std::unique_ptr<Model>{reinterpret_cast<Factory>(factory)()}; }

rust::String name_of(const Model& model, uint32_t slot) { return rust::String{model.name(slot)}; }

rust::String stop_reason_of(const Model& model) { return rust::String::lossy(model.stop_reason()); }

int32_t find_signal(Model& model, rust::Str scope, rust::Str signal) {
    return model.find(std::string{scope}.c_str(), std::string{signal}.c_str());
}

void set_words(Model& model, uint32_t slot, rust::Slice<const uint64_t> words) { model.set_words(slot, words.data()); }

void get_words(const Model& model, uint32_t slot, rust::Slice<uint64_t> words) { model.get_words(slot, words.data()); }

bool play(Model& model, rust::Slice<const uint32_t> inputs, rust::Slice<const uint64_t> rows, uint64_t num_rows,
          rust::Slice<const uint32_t> outputs, rust::Slice<uint64_t> record) {
    return model.play(inputs.data(), inputs.size(), rows.data(), num_rows, outputs.data(), outputs.size(), record.data());
}

void add_watch(Model& model, uint32_t id, uint32_t group, uint32_t valid, rust::Slice<const uint32_t> payload) {
    model.add_watch(id, group, valid, payload.data(), payload.size());
}

void drain_events(Model& model, rust::Slice<uint64_t> into) { model.drain_events(into.data()); }

void take_image(Model& model, rust::Slice<uint8_t> into) { model.take_image(into.data()); }

bool restore(Model& model, rust::Slice<const uint8_t> image) { return model.restore(image.data(), image.size()); }

bool open_trace(Model& model, rust::Str path, uint64_t first_cycle, uint64_t end_cycle) {
    return model.open_trace(std::string{path}.c_str(), first_cycle, end_cycle);
}

}  // namespace lpu::sim
