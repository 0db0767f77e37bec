"""The AXI4 window: random bursts against the model, order, errors, resets, throughput."""

import cocotb
from cocotb.triggers import RisingEdge

from bench import CASES, LIMIT_MS, OFFSET, Bench
from reference import DECERR, DESCRIPTOR, FIXED, INCR, MAP, OKAY, PROGRAM, SLVERR, SRAM, WRAP, beats, illegal

WORDS = 24


def region(bench: Bench, model, half: int) -> list[int]:
    """First bytes of areas that only this half of the test touches, each of WORDS words; the last ones are no memory."""
    s = model.shape
    ends = [
        SRAM + (s["SLICES"] - 1 << 22) + s["DEPTH"] * s["LANES"] - 8 * WORDS * (1 + half),
        SRAM + (half << 22) + 64,
        PROGRAM + (half << 16),
        PROGRAM + (s["QUEUES"] - 1 << 16) + 16 * s["QUEUE_DEPTH"] - 8 * WORDS * (1 + half),
        SRAM + (s["SLICES"] << 22) + 4096 * half,
        PROGRAM + (s["QUEUES"] << 16),
        0x0FFF_F000,
    ]
    return ends if half == 0 else ends + [DESCRIPTOR, MAP]


def random_burst(bench: Bench, base: int):
    """(address, length, size, burst type) inside an area and one page; now and then one that no standard knows."""
    rng = bench.random
    while True:
        size = rng.choice([3, 3, 3, 3, 2, 1, 0])
        burst = rng.choice([INCR, INCR, INCR, WRAP, FIXED])
        length = rng.choice([2, 4, 8, 16]) if burst == WRAP else rng.randint(1, 16)
        if rng.random() < 0.05:
            size, burst, length = rng.randint(0, 7), rng.randint(0, 3), rng.randint(1, 16)
        address = base + rng.randrange(8 * WORDS)
        if burst == WRAP:
            address &= -(1 << size)
        if illegal(address, length, size, burst):
            if burst != INCR or (address % 4096) + (length << size) <= 4096:
                return address, length, size, burst
            continue
        touched = beats(address, length, size, burst)
        inside = base <= min(touched) and max(touched) < base + 8 * WORDS
        if inside and (burst != INCR or max(touched) // 4096 == touched[0] // 4096):
            return address, length, size, burst


def random_beats(bench: Bench, length: int) -> list[tuple[int, int]]:
    rng = bench.random
    full = rng.random() < 0.6
    return [(rng.getrandbits(64), 0xFF if full else rng.choice([0xFF, 0, rng.getrandbits(8)])) for _ in range(length)]


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def random_bursts(dut):
    """Reads of one half of the memories beside writes of the other, with stalls on every channel; then the halves change."""
    bench = Bench(dut, "random_bursts")
    bench.channels()
    await bench.reset()
    model = await bench.window()
    # Words nobody has written have no valid check bits: write them first.
    halves = [region(bench, model, 0), region(bench, model, 1)]
    for base in halves[0][:4] + halves[1][:4]:
        data = [(bench.random.getrandbits(64), 0xFF) for _ in range(WORDS)]
        bench.send_write(base, 3, INCR, 0, data)
        assert await bench.response() == (0, model.write(base, WORDS, 3, INCR, data))
    counts = {"writes": 0, "reads": 0, "SLVERR": 0, "DECERR": 0}
    for turn in range(CASES or 10):
        share = bench.random.choice([0.0, 0.2, 0.5, 0.9])
        bench.stall(bench.aw, bench.w, bench.b, bench.ar, bench.r, share=share)
        expected_writes, expected_reads = [], []
        for _ in range(12):
            name = bench.random.getrandbits(8)
            address, length, size, burst = random_burst(bench, bench.random.choice(halves[turn % 2]))
            expected_reads.append((name, model.read(address, length, size, burst)))
            bench.send_read(address, length, size, burst, name)
        for _ in range(12):
            name = bench.random.getrandbits(8)
            address, length, size, burst = random_burst(bench, bench.random.choice(halves[1 - turn % 2]))
            data = random_beats(bench, length)
            bench.send_write(address, size, burst, name, data)
            expected_writes.append((name, model.write(address, length, size, burst, data)))
        for name, answers in expected_reads:
            found_name, found = await bench.burst()
            assert found_name == name
            assert len(found) == len(answers)
            for beat, ((word, response), (want, wanted)) in enumerate(zip(found, answers)):
                assert response == wanted, f"turn {turn}, beat {beat}: response {response}, not {wanted}"
                assert want is None or word == want, f"turn {turn}, beat {beat}: {word:x}, not {want:x}"
                counts["SLVERR"] += response == SLVERR
                counts["DECERR"] += response == DECERR
            counts["reads"] += 1
        for want in expected_writes:
            found = await bench.response()
            assert found == want, f"turn {turn}: (identifier, response) {found}, not {want}"
            counts["writes"] += 1
    bench.finish()
    assert all(counts.values()), counts
    bench.say(f"{counts} in {bench.cycle} cycles")


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def data_before_addresses(dut):
    """W may come long before AW, responses may wait long for the master."""
    bench = Bench(dut, "data_before_addresses")
    bench.channels()
    await bench.reset()
    bench.aw.pause = True
    bench.b.pause = True
    for i in range(8):
        bench.send_write(SRAM + 64 * i, 3, INCR, i, [(0x0101_0101_0101_0101 * i + j, 0xFF) for j in range(4)])
    await bench.cycles(100)
    bench.aw.pause = False
    await bench.cycles(100)
    bench.b.pause = False
    for i in range(8):
        assert await bench.response() == (i, OKAY)
    bench.r.pause = True
    for i in range(8):
        bench.send_read(SRAM + 64 * i, 4, 3, INCR, 8 + i)
    await bench.cycles(200)
    bench.r.pause = False
    for i in range(8):
        assert await bench.burst() == (8 + i, [(0x0101_0101_0101_0101 * i + j, OKAY) for j in range(4)])
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def a_beat_a_cycle(dut):
    """Bursts of 256 beats move one beat in every cycle, one after the other without a gap; single beats too."""
    bench = Bench(dut, "a_beat_a_cycle")
    bench.channels()
    await bench.reset()
    model = await bench.window()
    times = {"w": [], "r": [], "b": []}
    running = True

    async def observe():
        while running:
            await RisingEdge(dut.clock)
            for channel in times:
                if getattr(dut, f"s_axi_{channel}valid").value == 1 and getattr(dut, f"s_axi_{channel}ready").value == 1:
                    times[channel].append(bench.cycle)

    cocotb.start_soon(observe())
    length = min(256, model.shape["DEPTH"] * model.shape["LANES"] // 8 // 2)
    bursts = 4
    for i in range(bursts):
        bench.send_write(SRAM + (i << 22), 3, INCR, i, [(i << 32 | j, 0xFF) for j in range(length)])
    for i in range(bursts):
        assert await bench.response() == (i, OKAY)
    for i in range(bursts):
        bench.send_read(SRAM + (i << 22), length, 3, INCR, i)
    for i in range(bursts):
        assert await bench.burst() == (i, [(i << 32 | j, OKAY) for j in range(length)])
    for channel, name in (("w", "write"), ("r", "read")):
        beats_seen, taken = len(times[channel]), times[channel][-1] - times[channel][0] + 1
        bench.say(f"{name}: {beats_seen} beats in {taken} cycles")
        # W fills its queue while the first address goes its way: three cycles once.
        assert beats_seen == bursts * length and taken <= beats_seen + 3, (name, beats_seen, taken)
    for channel in times:
        times[channel].clear()
    for i in range(64):
        bench.send_read(SRAM + 8 * i, 1, 3, INCR, i)
        bench.send_write(PROGRAM + 8 * i, 3, INCR, i, [(i, 0xFF)])
    for i in range(64):
        assert (await bench.burst())[0] == i
        assert await bench.response() == (i, OKAY)
    # Reads and writes share the host port: 128 single beats in 128 cycles and the way there.
    taken = max(times["r"][-1], times["b"][-1]) - times["w"][0]
    bench.say(f"64 single reads beside 64 single writes in {taken} cycles")
    assert taken <= 128 + 20
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def latency(dut):
    """The latencies that the documents state."""
    bench = Bench(dut, "latency")
    bench.channels()
    await bench.reset()
    await bench.cycles(50)

    async def between(start: str, end: str) -> int:
        """Cycles from one handshake to another channel's valid."""
        while not (getattr(dut, start + "valid").value == 1 and getattr(dut, start + "ready").value == 1):
            await RisingEdge(dut.clock)
        first = bench.cycle
        while getattr(dut, end + "valid").value != 1:
            await RisingEdge(dut.clock)
        return bench.cycle - first

    bench.send_write(SRAM, 3, INCR, 0, [(1, 0xFF)])
    assert await between("s_axi_w", "s_axi_b") == 12
    await bench.response()
    bench.send_read(SRAM, 1, 3, INCR, 0)
    assert await between("s_axi_ar", "s_axi_r") == 12
    await bench.burst()
    for name, expected in (("ID", 3), ("STATUS", 13)):
        task = cocotb.start_soon(bench.read(name))
        assert await between("s_axil_ar", "s_axil_r") == expected, name
        await task
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def partial_writes_and_bad_words(dut):
    """Parts of words keep check bits right; a word that is uncorrectable is not written in part."""
    bench = Bench(dut, "partial_writes_and_bad_words")
    bench.channels()
    await bench.reset()
    host_ecc = OFFSET["ECC"] + 8 * 127
    bench.send_write(SRAM, 3, INCR, 0, [(0x1122_3344_5566_7788, 0xFF)])
    bench.send_write(SRAM + 2, 0, INCR, 0, [(0xAB << 16, 4)])
    bench.send_write(SRAM + 5, 3, INCR, 0, [(0xCDCD_CD00_0000_0000, 0xE0)])
    for _ in range(3):
        assert await bench.response() == (0, OKAY)
    bench.send_read(SRAM, 1, 3, INCR, 1)
    assert await bench.burst() == (1, [(0xCDCD_CD44_55AB_7788, OKAY)])
    assert (await bench.lite.read(host_ecc, 8)).data == bytes(8), "no word was corrected"
    # Two bits wrong.
    assert await bench.write("INJECT_DATA", 3) == OKAY and await bench.write("INJECT_DATA", 0, 1) == OKAY
    bench.send_write(SRAM + 8, 3, INCR, 0, [(0, 0xFF)])
    assert await bench.response() == (0, OKAY)
    assert await bench.write("INJECT_DATA", 0) == OKAY and await bench.write("INJECT_DATA", 0, 1) == OKAY
    bench.send_read(SRAM + 8, 1, 3, INCR, 2)
    assert await bench.burst() == (2, [(3, SLVERR)])
    bench.send_write(SRAM + 8, 0, INCR, 3, [(0xFF, 1)])
    assert await bench.response() == (3, SLVERR)
    bench.send_read(SRAM + 8, 1, 3, INCR, 4)
    assert await bench.burst() == (4, [(3, SLVERR)]), "still as it was"
    assert (await bench.lite.read(host_ecc + 4, 4)).data == (3).to_bytes(4, "little")
    bench.send_write(SRAM + 8, 3, INCR, 5, [(9, 0xFF)])
    assert await bench.response() == (5, OKAY)
    bench.send_read(SRAM + 8, 1, 3, INCR, 6)
    assert await bench.burst() == (6, [(9, OKAY)])
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def a_wrong_wlast(dut):
    """WLAST too early or missing: SLVERR, and the next burst is as if nothing had been."""
    bench = Bench(dut, "a_wrong_wlast", master_rules=False)
    bench.channels()
    await bench.reset()
    for last in (0, 1, 9):
        bench.send_write(SRAM, 3, INCR, 1, [(i, 0xFF) for i in range(4)], last=last)
        assert await bench.response() == (1, SLVERR)
        bench.send_write(SRAM, 3, INCR, 2, [(i, 0xFF) for i in range(4)])
        assert await bench.response() == (2, OKAY)
    bench.send_read(SRAM, 4, 3, INCR, 3)
    assert await bench.burst() == (3, [(i, OKAY) for i in range(4)])
    bench.finish()


@cocotb.test(timeout_time=LIMIT_MS, timeout_unit="ms")
async def resets_in_the_middle(dut):
    """A reset of one cycle at any time, then everything works."""
    bench = Bench(dut, "resets_in_the_middle")
    bench.channels()
    await bench.reset(1)
    for turn in range(CASES or 12):
        bench.stall(bench.aw, bench.w, bench.b, bench.ar, bench.r, share=bench.random.choice([0.0, 0.5]))
        for i in range(6):
            data = [(bench.random.getrandbits(64), bench.random.choice([0xFF, 0x0F])) for _ in range(8)]
            bench.send_write(SRAM + 64 * i, 3, INCR, i, data)
            bench.send_read(SRAM + 64 * i, 8, 3, INCR, i)
        await bench.cycles(bench.random.randint(1, 120))
        dut.reset.value = 1
        for part in (bench.aw, bench.w, bench.b, bench.ar, bench.r):
            part.clear()
        await bench.cycles(bench.random.choice([1, 2, 20]))
        for part in (bench.b, bench.r):
            part.clear()
        dut.reset.value = 0
        await bench.cycles(2)
        for part in (bench.b, bench.r):
            part.clear()
        bench.send_write(SRAM + 512, 3, INCR, 7, [(turn, 0xFF)])
        assert await bench.response() == (7, OKAY)
        bench.send_read(SRAM + 512, 1, 3, INCR, 9)
        assert await bench.burst() == (9, [(turn, OKAY)])
    bench.finish()
