"""The protocol checker fails on every rule it has: no simulator needed (`run.py` calls this first)."""

from checker import CHANNELS, Checker, Violation


def idle() -> dict:
    return {n: 0 for c, names in CHANNELS["s_axi_"].items() for n in [*names, c + "valid", c + "ready"]}


def play(*cycles: dict) -> str:
    """What the checker has against these cycles; empty: nothing."""
    checker = Checker("s_axi_")
    try:
        for cycle in cycles:
            checker.cycle(idle() | cycle)
        checker.finish()
    except Violation as violation:
        return str(violation)
    return ""


AR = {"arvalid": 1, "arready": 1, "arlen": 1, "arid": 3, "arburst": 1, "arsize": 3}
R = {"rvalid": 1, "rready": 1, "rid": 3}
AW = {"awvalid": 1, "awready": 1, "awid": 2, "awburst": 1, "awsize": 3}
W = {"wvalid": 1, "wready": 1, "wlast": 1}
B = {"bvalid": 1, "bready": 1, "bid": 2}


def test_checker() -> None:
    assert play(AR, R, R | {"rlast": 1}) == ""
    assert play(AW, W, B) == "" and play(W, AW, B) == ""
    for expected, cycles in {
        "rvalid fell": [AR, R | {"rready": 0}, {}],
        "changed while it waited": [AR, R | {"rready": 0}, R | {"rdata": 1}],
        "undefined": [{"rvalid": None}],
        "rlast is 1": [AR, R | {"rlast": 1}],
        "rlast is 0": [AR, R, R],
        "nobody asked for": [AR, R | {"rid": 4}],
        "no finished burst": [AW, B],
        "wlast after 2": [AW, W | {"wlast": 0}, W],
        "crosses 4 KiB": [AR | {"araddr": 0xFF8}],
        "without an answer": [AR, R],
        "nothing happened": [{}],
    }.items():
        found = play(*cycles)
        assert expected in found, f"{expected!r} is not in {found!r}"


if __name__ == "__main__":
    test_checker()
    print("checker: every rule fails when it is broken")
