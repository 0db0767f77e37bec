// What happens when a design stops itself ($finish, $stop, $fatal, a loop that does not settle): Verilator's defaults end
// the process; here the call in progress ends with an exception that never leaves the shared object.
#pragma once

#include "verilated.h"

#include <string>

namespace lpu::sim {

struct Stopped final {
    std::string reason;
};

}  // namespace lpu::sim

inline std::string lpu_sim_where(const char* file, int line, const char* what) {
    return std::string{what} + " at " + (file && *file ? file : "?") + ":" + std::to_string(line);
}

void vl_finish(const char* file, int line, const char*) { throw lpu::sim::Stopped{lpu_sim_where(file, line, "$finish")}; }

void vl_stop(const char* file, int line, const char*) { throw lpu::sim::Stopped{lpu_sim_where(file, line, "$stop")}; }

void vl_fatal(const char* file, int line, const char*, const char* message) {
    throw lpu::sim::Stopped{lpu_sim_where(file, line, message)};
}
