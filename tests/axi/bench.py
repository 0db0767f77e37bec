"""Clock, reset, protocol checkers and masters for the tests of `lpu_axi`."""

import json
import logging
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster
from cocotbext.axi.axi_channels import (
    AxiARSource,
    AxiARTransaction,
    AxiAWSource,
    AxiAWTransaction,
    AxiBSink,
    AxiRSink,
    AxiWSource,
    AxiWTransaction,
)

from checker import CHANNELS, ORDER, Checker
from reference import Window

SEED = int(os.environ.get("LPU_SEED", "1"))
CASES = int(os.environ.get("LPU_CASES", "0"))
PERIOD_NS = 10
# A test that hangs fails; a test of the default suite takes a tenth of a millisecond.
LIMIT_MS = 2 + CASES
REGS = json.loads(os.environ["LPU_REGS"])
OFFSET = {register["name"]: register["offset"] for register in REGS["registers"]}


def undefined_or(value) -> int | None:
    return int(value) if value.is_resolvable else None


logging.getLogger("cocotb.lpu_axi").setLevel("WARNING")


class Bench:
    """What every test starts with."""

    def __init__(self, dut, name: str, master_rules: bool = True):
        self.dut = dut
        self.random = random.Random(f"{SEED} {name}")
        self.say(f"{name}: LPU_SEED={SEED} {os.environ.get('LPU_REPLAY', '')} {name}")
        self.checkers = {p: Checker(p, master_rules) for p in CHANNELS}
        self.cycle = 0
        self.stop = False
        for prefix, channels in CHANNELS.items():
            for channel, payload in channels.items():
                if channel in ("aw", "w", "ar"):
                    for pin in [*payload, channel + "valid"]:
                        getattr(dut, prefix + pin).value = 0
                else:
                    getattr(dut, prefix + channel + "ready").value = 0
        dut.reset.value = 1
        self.clock = cocotb.start_soon(Clock(dut.clock, PERIOD_NS, unit="ns").start())
        self.watch = cocotb.start_soon(self._watch())

    def say(self, text: str) -> None:
        print(f"{self.__class__.__name__.lower()}: {text}", flush=True)

    async def _watch(self) -> None:
        """Every pin in every cycle, to the checkers."""
        channels = [
            (
                self.checkers[prefix],
                channel,
                getattr(self.dut, f"{prefix}{channel}valid"),
                getattr(self.dut, f"{prefix}{channel}ready"),
                [getattr(self.dut, prefix + pin) for pin in CHANNELS[prefix][channel]],
            )
            for prefix in CHANNELS
            for channel in ORDER
        ]
        answers = [getattr(self.dut, f"{prefix}{channel}valid") for prefix in CHANNELS for channel in "br"]
        resets = 0
        while True:
            await RisingEdge(self.dut.clock)
            self.cycle += 1
            if self.dut.reset.value == 1:
                resets += 1
                for checker in self.checkers.values():
                    checker.reset()
                if resets > 2:
                    assert all(valid.value == 0 for valid in answers), "valid in reset"
                continue
            resets = 0
            for checker in self.checkers.values():
                checker.cycles += 1
            for checker, channel, valid, ready, payload in channels:
                shown = valid.value
                if shown == 0 and channel not in checker.waiting:
                    continue
                values = tuple(undefined_or(pin.value) for pin in payload)
                checker.channel(channel, undefined_or(shown), undefined_or(ready.value), values)

    async def reset(self, cycles: int = 3) -> None:
        self.dut.reset.value = 1
        await self.cycles(cycles)
        self.dut.reset.value = 0

    async def cycles(self, count: int) -> None:
        for _ in range(count):
            await RisingEdge(self.dut.clock)

    def masters(self) -> None:
        """The masters of cocotbext-axi."""
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(self.dut, "s_axil"), self.dut.clock, self.dut.reset)
        self.axi = AxiMaster(AxiBus.from_prefix(self.dut, "s_axi"), self.dut.clock, self.dut.reset)

    def channels(self) -> None:
        """The bare channels of the window, for bursts of every kind; and the registers."""
        bus = AxiBus.from_prefix(self.dut, "s_axi")
        self.aw = AxiAWSource(bus.write.aw, self.dut.clock, self.dut.reset)
        self.w = AxiWSource(bus.write.w, self.dut.clock, self.dut.reset)
        self.b = AxiBSink(bus.write.b, self.dut.clock, self.dut.reset)
        self.ar = AxiARSource(bus.read.ar, self.dut.clock, self.dut.reset)
        self.r = AxiRSink(bus.read.r, self.dut.clock, self.dut.reset)
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(self.dut, "s_axil"), self.dut.clock, self.dut.reset)

    def stall(self, *parts, share: float = 0.5) -> None:
        """Random pauses, long and short."""

        def pauses(rng: random.Random):
            while True:
                paused = rng.random() < share
                for _ in range(rng.choice([1, 1, 1, 2, 3, 20])):
                    yield paused

        for part in parts:
            part.set_pause_generator(pauses(random.Random(self.random.random())))

    def stall_masters(self, share: float = 0.5) -> None:
        for master in (self.axi, self.lite):
            self.stall(master.write_if.aw_channel, master.write_if.w_channel, master.write_if.b_channel, share=share)
            self.stall(master.read_if.ar_channel, master.read_if.r_channel, share=share)

    async def read(self, name: str, index: int = 0, step: int = 4) -> int:
        """A register by name; the access must succeed."""
        answer = await self.lite.read(OFFSET[name] + step * index, 4)
        assert answer.resp == 0, f"{name} answers {answer.resp}"
        return int.from_bytes(answer.data, "little")

    async def write(self, name: str, value: int, index: int = 0) -> int:
        """The response of writing a register."""
        answer = await self.lite.write(OFFSET[name] + 4 * index, value.to_bytes(4, "little"))
        return int(answer.resp)

    async def window(self) -> Window:
        """The model of this machine's window, from its own shape registers."""
        names = ["LANES", "SLICES", "DEPTH", "QUEUES", "QUEUE_DEPTH", "VXM_ALUS", "SXM_MAPS"]
        return Window({name: await self.read(name) for name in names})

    def send_write(self, address: int, size: int, burst: int, name: int, data: list[tuple[int, int]], last=None) -> None:
        """Queues a burst on AW and W; `last` overrides where WLAST is."""
        aw = AxiAWTransaction(awid=name, awaddr=address, awlen=len(data) - 1, awsize=size, awburst=burst)
        self.aw.send_nowait(aw)
        for i, (word, strobes) in enumerate(data):
            ends = i == (len(data) - 1 if last is None else last)
            self.w.send_nowait(AxiWTransaction(wdata=word, wstrb=strobes, wlast=int(ends)))

    def send_read(self, address: int, length: int, size: int, burst: int, name: int) -> None:
        self.ar.send_nowait(AxiARTransaction(arid=name, araddr=address, arlen=length - 1, arsize=size, arburst=burst))

    async def response(self) -> tuple[int, int]:
        """(identifier, response) of the next B."""
        b = await with_timeout(self.b.recv(), 200, "us")
        return int(b.bid), int(b.bresp)

    async def burst(self) -> tuple[int, list[tuple[int, int]]]:
        """(identifier, [(word, response)]) of the next burst on R."""
        answers = []
        while True:
            r = await with_timeout(self.r.recv(), 200, "us")
            answers.append((int(r.rdata) if r.rdata.is_resolvable else None, int(r.rresp)))
            if r.rlast:
                return int(r.rid), answers

    def finish(self) -> None:
        for checker in self.checkers.values():
            if checker.handshakes:
                checker.finish()
        assert any(checker.handshakes for checker in self.checkers.values()), "nothing happened"
        assert not self.watch.done(), "the checker has stopped"
