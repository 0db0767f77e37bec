"""Checks the AXI protocol on the pins of `lpu_axi` in every clock cycle, from the standard (ARM IHI 0022) alone.

For each channel: valid stays, with the same payload, until ready; nothing is undefined. For the slave: every burst gets its beats and
its response, with its identifier, in the order of its identifier; RLAST is on the last beat and nowhere else; no response comes before the
last beat of its data. For the master (our tests): WLAST, no INCR burst across 4 KiB.
"""

from collections import defaultdict, deque

# Answers first: one in the cycle of what it answers is too early.
ORDER = ["b", "r", "aw", "w", "ar"]
CHANNELS = {
    "s_axi_": {
        "aw": ["awid", "awaddr", "awlen", "awsize", "awburst"],
        "w": ["wdata", "wstrb", "wlast"],
        "b": ["bid", "bresp"],
        "ar": ["arid", "araddr", "arlen", "arsize", "arburst"],
        "r": ["rid", "rdata", "rresp", "rlast"],
    },
    "s_axil_": {"aw": ["awaddr"], "w": ["wdata", "wstrb"], "b": ["bresp"], "ar": ["araddr"], "r": ["rdata", "rresp"]},
}


class Violation(AssertionError):
    """A rule of the protocol is broken."""


class Checker:
    """One interface. `cycle` takes the values of the pins before each rising edge, None for undefined."""

    def __init__(self, prefix: str, master_rules: bool = True):
        self.prefix = prefix
        self.channels = CHANNELS[prefix]
        self.full = prefix == "s_axi_"
        self.master_rules = master_rules
        self.cycles = self.handshakes = 0
        self.reset()

    def reset(self) -> None:
        self.waiting: dict[str, tuple] = {}
        self.reads: dict[int, deque] = defaultdict(deque)
        self.writes: deque = deque()
        self.data: deque = deque([0])
        self.loose = 0
        self.responses: dict[int, int] = defaultdict(int)

    def fail(self, what: str) -> None:
        raise Violation(f"cycle {self.cycles}, {self.prefix}: {what}")

    def cycle(self, pins: dict[str, int | None]) -> None:
        """One clock cycle without reset."""
        self.cycles += 1
        for channel in ORDER:
            value = tuple(pins[name] for name in self.channels[channel])
            self.channel(channel, pins[channel + "valid"], pins[channel + "ready"], value)

    def channel(self, channel: str, valid: int | None, ready: int | None, value: tuple) -> None:
        """One channel in this cycle; the channels come in the order ORDER."""
        if valid is None or (valid and ready is None):
            self.fail(f"{channel}valid or {channel}ready is undefined")
        if channel in self.waiting:
            if not valid:
                self.fail(f"{channel}valid fell before {channel}ready")
            if value != self.waiting[channel]:
                self.fail(f"{channel} changed while it waited: {self.waiting[channel]} became {value}")
        self.waiting.pop(channel, None)
        if valid and not ready:
            self.waiting[channel] = value
        if valid and ready:
            self.handshakes += 1
            getattr(self, "on_" + channel)(dict(zip(self.channels[channel], value)))

    def on_aw(self, p: dict) -> None:
        self.writes.append((p.get("awid", 0), p.get("awlen", 0) + 1))
        self.boundary(p, "aw")
        self.complete()

    def on_w(self, p: dict) -> None:
        self.data[-1] += 1
        if not self.master_rules:
            # WLAST may be anywhere: the length of the oldest address counts.
            self.loose += 1
        elif p.get("wlast", 1):
            self.data.append(0)
        self.complete()

    def complete(self) -> None:
        """Bursts whose address and data are both there may be answered from the next cycle on."""
        while not self.master_rules and self.writes and self.writes[0][1] <= self.loose:
            name, length = self.writes.popleft()
            self.loose -= length
            self.responses[name] += 1
        while self.writes and len(self.data) > 1:
            (name, length), beats = self.writes.popleft(), self.data.popleft()
            if beats != length:
                self.fail(f"wlast after {beats} beats of a burst of {length}")
            self.responses[name] += 1

    def on_b(self, p: dict) -> None:
        name = p.get("bid", 0)
        if self.responses[name] == 0:
            self.fail(f"a response with identifier {name} for no finished burst")
        self.responses[name] -= 1

    def on_ar(self, p: dict) -> None:
        self.reads[p.get("arid", 0)].append(p.get("arlen", 0) + 1)
        self.boundary(p, "ar")

    def boundary(self, p: dict, channel: str) -> None:
        if not self.full or not self.master_rules or p[channel + "burst"] != 1:
            return
        step = 1 << p[channel + "size"]
        first = p[channel + "addr"]
        last = first // step * step + step * (p[channel + "len"] + 1) - 1
        if first // 4096 != last // 4096:
            self.fail(f"an INCR burst from {first:#x} to {last:#x} crosses 4 KiB")

    def on_r(self, p: dict) -> None:
        queue = self.reads[p.get("rid", 0)]
        if not queue:
            self.fail(f"a beat with identifier {p.get('rid', 0)} that nobody asked for")
        queue[0] -= 1
        if bool(p.get("rlast", 1)) != (queue[0] == 0):
            self.fail(f"rlast is {p.get('rlast')} with {queue[0]} beats to come")
        if queue[0] == 0:
            queue.popleft()

    def finish(self) -> None:
        """Nothing may be owed at the end."""
        if any(self.reads.values()) or any(self.responses.values()) or self.writes:
            self.fail("bursts without an answer at the end")
        if self.handshakes == 0:
            self.fail("nothing happened")
