"""A matrix product through AXI, as software would run it: load, launch, wait for the interrupt, read; compared with numpy."""

import json
import os

import cocotb
import numpy
from cocotb.triggers import RisingEdge, with_timeout

from bench import LIMIT_MS, Bench

DONE = 1


async def run(dut, bench: Bench) -> None:
    job = json.load(open(os.environ["LPU_JOB"]))
    a, b = (numpy.load(os.environ[name]) for name in ("LPU_A", "LPU_B"))
    assert await bench.write("IRQ_ENABLE", DONE) == 0
    start = bench.cycle
    for part in job["writes"]:
        data = b"".join(int(word, 16).to_bytes(8, "little") for word in part["data"])
        answer = await bench.axi.write(part["address"], data)
        assert answer.resp == 0
    loaded = bench.cycle
    words = sum(len(part["data"]) for part in job["writes"])
    assert await bench.write("CONTROL", 1) == 0
    while dut.out_interrupt.value != 1:
        await with_timeout(RisingEdge(dut.out_interrupt), 1, "ms")
    assert await bench.read("IRQ_STATUS") == DONE and await bench.write("IRQ_RAW", DONE) == 0
    assert await bench.read("STATUS") == 0, "no fault, not busy"
    assert await bench.read("CYCLE") == job["cycles"]
    finished = bench.cycle
    lanes = job["lanes"]
    parts = []
    for address in job["results"]:
        answer = await bench.axi.read(address, lanes)
        assert answer.resp == 0
        parts.append(answer.data)
    result = numpy.frombuffer(b"".join(parts), dtype=numpy.uint8)
    places = numpy.array(job["elements"])
    product = result[places].astype(numpy.uint8).copy().view("<i4").reshape(a.shape[0], b.shape[1])
    expected = a.astype(numpy.int32) @ b.astype(numpy.int32)
    assert (product == expected).all(), f"{(product != expected).sum()} elements differ"
    bench.say(
        f"{a.shape[0]} x {a.shape[1]} x {b.shape[1]}: {words} words written in {loaded - start} cycles, "
        f"{job['cycles']} cycles of the launch, {len(parts)} vectors read in {bench.cycle - finished} cycles"
    )
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def matmul(dut):
    """Without stalls."""
    bench = Bench(dut, "matmul")
    bench.masters()
    await bench.reset()
    await run(dut, bench)


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def matmul_with_stalls(dut):
    """With random stalls on all ten channels."""
    bench = Bench(dut, "matmul_with_stalls")
    bench.masters()
    bench.stall_masters()
    await bench.reset()
    await run(dut, bench)


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def unaligned_copies(dut):
    """Copies of any length from any byte to any byte, as `memcpy` or a DMA makes them, read back."""
    bench = Bench(dut, "unaligned_copies")
    bench.masters()
    await bench.reset()
    size = 512
    shadow = bytearray(bench.random.randbytes(size))
    await bench.axi.write(0, bytes(shadow))
    for _ in range(20):
        first = bench.random.randrange(size)
        data = bench.random.randbytes(bench.random.randint(1, min(64, size - first)))
        beat = bench.random.choice([None, 0, 1, 2, 3])
        answer = await bench.axi.write(first, data, size=beat)
        assert answer.resp == 0
        shadow[first : first + len(data)] = data
        first = bench.random.randrange(size)
        length = bench.random.randint(1, size - first)
        answer = await bench.axi.read(first, length, size=bench.random.choice([None, 2, 3]))
        assert answer.resp == 0 and answer.data == bytes(shadow[first : first + length])
    answer = await bench.axi.read(0, size)
    assert answer.data == bytes(shadow)
    bench.finish()
