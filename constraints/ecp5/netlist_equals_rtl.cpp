// Plays a record of the host port (lpu run matmul --record-host FILE) on netlist_equals_rtl.v.
//
//     netlist_equals_rtl RECORD MUTANTS
//
// Plays it once on the netlist as it is and once on each of MUTANTS netlists with an inverted LUT. Exits with 1 when the
// netlist differs from the RTL, with 2 when nothing was compared.
//
// Comparison starts once reset has been high for CLEARING cycles: only then do RTL (whose registers start with arbitrary
// values here) and netlist (whose registers start with zero) have to agree.

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vnetlist_equals_rtl.h"
#include "verilated.h"

namespace {

const uint64_t CLEARING = 24;

struct Row {
    uint64_t cycles, data;
    unsigned reset, valid, write, address;
};

struct Outcome {
    uint64_t compared = 0, busy = 0, answers = 0, faults = 0;
    bool equal = true;
};

std::vector<Row> read_record(const char *path) {
    std::vector<Row> rows;
    FILE *file = std::fopen(path, "r");
    if (file == nullptr) {
        std::fprintf(stderr, "netlist_equals_rtl: cannot read %s\n", path);
        std::exit(2);
    }
    Row row;
    while (std::fscanf(file, "%" SCNu64 " %x %x %x %x %" SCNx64, &row.cycles, &row.reset, &row.valid, &row.write,
                       &row.address, &row.data) == 6)
        rows.push_back(row);
    std::fclose(file);
    return rows;
}

// Plays until the end or the first difference, which it prints.
Outcome play(const std::vector<Row> &rows, unsigned mutate) {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(1);
    Vnetlist_equals_rtl model(&context);
    model.mutate = mutate;
    Outcome outcome;
    uint64_t cycle = 0;
    for (const Row &row : rows) {
        model.reset = row.reset;
        model.valid = row.valid;
        model.write = row.write;
        model.address = row.address;
        model.data = row.data;
        for (uint64_t run = row.cycles; run > 0; run--, cycle++) {
            model.clock = 0;
            model.eval();
            model.clock = 1;
            model.eval();
            if (context.gotFinish()) {
                std::printf("stopped in cycle %" PRIu64 "\n", cycle);
                std::exit(2);
            }
            if (cycle < CLEARING) continue;
            if (model.rtl_flags != model.netlist_flags || model.rtl_data != model.netlist_data) {
                std::printf("differs in cycle %" PRIu64 ": {busy, fault, valid, error} %x and data %016" PRIx64
                            " of the RTL, %x and %016" PRIx64 " of the netlist\n",
                            cycle, model.rtl_flags, static_cast<uint64_t>(model.rtl_data), model.netlist_flags,
                            static_cast<uint64_t>(model.netlist_data));
                outcome.equal = false;
                return outcome;
            }
            outcome.compared++;
            outcome.answers += model.rtl_flags >> 1 & 1;
            outcome.faults += model.rtl_flags >> 2 & 1;
            outcome.busy += model.rtl_flags >> 3 & 1;
        }
    }
    return outcome;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        std::fprintf(stderr, "netlist_equals_rtl: two arguments, a record of the host port and a number of mutants\n");
        return 2;
    }
    const std::vector<Row> rows = read_record(argv[1]);
    const Outcome sound = play(rows, 0);
    if (!sound.equal) return 1;
    if (sound.busy == 0 || sound.answers == 0) {
        std::printf("nothing was compared: %" PRIu64 " cycles busy, %" PRIu64 " answers\n", sound.busy, sound.answers);
        return 2;
    }
    std::printf("equal in %" PRIu64 " cycles, %" PRIu64 " of them busy, %" PRIu64 " answers, %" PRIu64 " cycles with a fault\n",
                sound.compared, sound.busy, sound.answers, sound.faults);
    for (int mutant = 0; mutant < std::atoi(argv[2]); mutant++) {
        std::fflush(stdout);
        std::printf(play(rows, 1u << mutant).equal ? "mutant %d missed\n" : "mutant %d found\n", mutant);
    }
    return 0;
}
