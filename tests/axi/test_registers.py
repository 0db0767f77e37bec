"""The AXI4-Lite registers: every one of the table, refusals, interrupts."""

import os

import cocotb

from bench import LIMIT_MS, OFFSET, REGS, Bench
from reference import DECERR, INCR, OKAY, PROGRAM, SLVERR, SRAM

DONE, FAULT, ACCESS = 1, 2, 4
LAUNCH, CLEAR = 1, 2
END, READ = 15, 1


def halves(bench: Bench, counts: dict[str, int]) -> dict[int, str]:
    """Access code of each word offset that holds a register."""
    codes = {}
    for register in REGS["registers"]:
        step = register["bits"] // 8
        places = list(range(counts[register["count"]]))
        if register["name"] == "ECC":
            places.append(REGS["ecc_host_place"])
        for place in places:
            for half in range(0, step, 4):
                codes[register["offset"] + step * place + half] = register["access"]
    return codes


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def every_register_and_every_gap(dut):
    """All registers and some of the gaps read as the table says; writes to what cannot be written are refused."""
    bench = Bench(dut, "every_register_and_every_gap")
    bench.channels()
    await bench.reset()
    assert await bench.read("ID") == REGS["id"] and await bench.read("VERSION") == REGS["version"]
    counts = {"1": 1, "mem_queues": 2 * await bench.read("SLICES"), "queues": await bench.read("QUEUES")}
    codes = halves(bench, counts)
    gaps = [offset for offset in range(0, 4096, 4) if offset not in codes]
    arrays = [offset for offset in codes if offset >= 0x400]
    ends = [offset for offset in arrays if offset + 4 not in codes or offset - 4 not in codes]
    some = bench.random.sample(arrays, 16) + bench.random.sample(gaps, 16)
    for offset in [o for o in codes if o < 0x400] + ends + [o + 4 for o in ends if o < 0xFFC] + some:
        answer = await bench.lite.read(offset, 4)
        assert answer.resp == (OKAY if offset in codes else DECERR), f"{offset:#x} answers {answer.resp}"
    for offset in [o for o in codes if o < 0x400] + ends + [0x14, 0x7FC, 0xFF0]:
        code = codes.get(offset)
        if code == "RO" or code is None:
            answer = await bench.lite.write(offset, bytes(4))
            assert answer.resp == (SLVERR if code else DECERR), f"{offset:#x} answers {answer.resp}"
    word = os.environ["LPU_HASH"][:16]
    assert await bench.read("CONFIG_HASH", 1) << 32 | await bench.read("CONFIG_HASH") == int(word, 16)
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def registers_keep_what_is_written(dut):
    """BASE of every MEM queue, INJECT as a pair, strobes, with stalls on every channel."""
    bench = Bench(dut, "registers_keep_what_is_written")
    bench.masters()
    bench.stall_masters(0.3)
    await bench.reset()
    queues = 2 * await bench.read("SLICES")
    values = [bench.random.getrandbits(16) for _ in range(queues)]
    for queue, value in enumerate(values):
        assert await bench.write("BASE", value, queue) == OKAY
    for queue, value in enumerate(values):
        assert await bench.read("BASE", queue) == value
    assert await bench.write("INJECT_DATA", 0x0123_4567) == OKAY
    assert await bench.read("INJECT_DATA") == 0, "kept until the high half comes"
    assert await bench.write("INJECT_DATA", 0x89AB_CDEF, 1) == OKAY
    assert await bench.read("INJECT_DATA") == 0x0123_4567 and await bench.read("INJECT_DATA", 1) == 0x89AB_CDEF
    assert await bench.write("INJECT_CHECK", 0x5A) == OKAY and await bench.read("INJECT_CHECK") == 0x5A
    answer = await bench.lite.write(OFFSET["BASE"] + 1, b"\xff")
    assert answer.resp == SLVERR, "a byte of a register"
    assert await bench.read("BASE") == values[0]
    # Reads and writes at once.
    tasks = [cocotb.start_soon(bench.write("BASE", value ^ 0xFF, queue)) for queue, value in enumerate(values)]
    tasks += [cocotb.start_soon(bench.read("ID")) for _ in range(queues)]
    for task in tasks:
        await task
    for queue, value in enumerate(values):
        assert await bench.read("BASE", queue) == value ^ 0xFF
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def interrupts_and_refusals(dut):
    """Done, fault and access; what is refused while a launch goes on."""
    bench = Bench(dut, "interrupts_and_refusals")
    bench.channels()
    await bench.reset()
    slices, queues = await bench.read("SLICES"), await bench.read("QUEUES")
    # Every queue: a NOP of 200 cycles, then END; the first has a READ beyond the memory: a fault.
    nop = (200 << 92, END)
    for queue in range(queues):
        words = [nop[0] & (1 << 64) - 1, nop[0] >> 64, END, 0]
        if queue == 0:
            words = [READ | 0xFFFF << 32, 1 << 80 - 64 | 1 << 92 - 64, *words]
        bench.send_write(PROGRAM + (queue << 16), 3, INCR, queue, [(word, 0xFF) for word in words])
        assert await bench.response() == (queue, OKAY)
    bench.send_write(SRAM, 3, INCR, 0, [(7, 0xFF)])
    assert await bench.response() == (0, OKAY)
    assert await bench.write("IRQ_ENABLE", DONE) == OKAY
    assert await bench.write("CONTROL", LAUNCH) == OKAY
    assert await bench.read("STATUS") & 1, "busy with the response at the latest"
    # Refused: launch, BASE, window in both directions; allowed: clear, reading registers, no bytes at all.
    assert await bench.write("CONTROL", LAUNCH) == SLVERR
    assert await bench.read("ERROR_INFO") == 0b0011 and await bench.read("ERROR_ADDRESS") == OFFSET["CONTROL"]
    assert await bench.write("BASE", 1) == SLVERR
    bench.send_read(SRAM, 1, 3, INCR, 5)
    assert await bench.burst() == (5, [(0, SLVERR)])
    bench.send_write(SRAM, 3, INCR, 6, [(1, 0xFF)])
    assert await bench.response() == (6, SLVERR)
    bench.send_write(SRAM, 3, INCR, 6, [(1, 0x0F)])
    assert await bench.response() == (6, SLVERR)
    assert await bench.read("ERROR_ADDRESS") == OFFSET["CONTROL"], "the first one stays"
    assert await bench.read("IRQ_RAW") == FAULT | ACCESS and await bench.read("IRQ_STATUS") == 0
    assert dut.out_interrupt.value == 0 and dut.out_fault.value == 1
    assert await bench.read("FAULT", 1) == 1 << 31 | 4, "ADDRESS_RANGE"
    assert await bench.read("FAULT", 0) == 0, "in cycle 0"
    for _ in range(1000):
        if dut.out_interrupt.value == 1:
            break
        await bench.cycles(1)
    assert dut.out_interrupt.value == 1 and dut.out_busy.value == 0
    assert await bench.read("IRQ_STATUS") == DONE
    cycles = await bench.read("CYCLE")
    assert 216 <= cycles <= 216 + 64, cycles
    # Write one to clear.
    assert await bench.write("IRQ_RAW", DONE) == OKAY
    assert await bench.read("IRQ_RAW") == FAULT | ACCESS and dut.out_interrupt.value == 0
    assert await bench.write("IRQ_RAW", FAULT) == OKAY
    assert await bench.write("IRQ_ENABLE", ACCESS) == OKAY
    await bench.cycles(3)
    assert dut.out_interrupt.value == 1
    assert await bench.write("IRQ_RAW", ACCESS) == OKAY
    assert await bench.read("IRQ_RAW") == 0 and await bench.read("ERROR_INFO") == 0
    # The next one is recorded: a read of the window, no such address.
    bench.send_read(SRAM + (slices << 22) + 8, 2, 3, INCR, 1)
    assert (await bench.burst())[1] == [(0, DECERR)] * 2
    assert await bench.read("ERROR_INFO") == 0b1101 and await bench.read("ERROR_ADDRESS") == (slices << 22) + 8
    assert await bench.write("CONTROL", CLEAR) == OKAY
    assert await bench.read("STATUS") == 0 and await bench.read("FAULT", 1) == 0
    bench.send_read(SRAM, 1, 3, INCR, 5)
    assert await bench.burst() == (5, [(7, OKAY)]), "refused writes have no effect"
    bench.finish()
