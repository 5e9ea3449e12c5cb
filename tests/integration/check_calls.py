#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_calls.py KIND COUNTS OUTPUT: what called.cc ("native") or called.py ("python") printed against
what `pipescope calls --format json` counted."""

import json
import sys

from recording import Checks

HALF_THROWS = 200  # of 400 calls
LEFT = {"throws": HALF_THROWS, "passes": HALF_THROWS}  # by an exception: without a time
# Times are told without what the breakpoints cost, on average; what other programs take is in both.
SLACK = 0.25


def main():
    kind = sys.argv[1]
    with open(sys.argv[2], encoding="utf-8") as stream:
        counted = json.load(stream)
    with open(sys.argv[3], encoding="utf-8") as stream:
        output = json.loads(stream.read().splitlines()[-1])
    checks = Checks()
    found = {}
    for row in counted["rows"]:
        name = row["function"].split("(")[0]
        found[name.split(".")[-1] if kind == "python" else name.replace("work::", "", 1)] = row
    wanted = output["calls"]
    # From 3.11 on these stay in the interpreter's loop.
    if kind == "python" and output["inlines"]:
        for name in ("from_python", "nested"):
            wanted.pop(name)
            checks.check(found.get(name, {"calls": 0})["calls"] <= 20, "%s: %s" % (name, found.get(name)))
    for name, calls in wanted.items():
        row = found.get(name, {"calls": 0, "timed": 0, "total_histogram": [], "own_histogram": []})
        checks.check(row["calls"] == calls, "%s: %d calls, not %d" % (name, row["calls"], calls))
        timed = calls - (LEFT.get(name, 0) if kind == "native" else 0)
        checks.check(row["timed"] == timed, "%s: %d with a time, not %d" % (name, row["timed"], timed))
        for histogram in ("total_histogram", "own_histogram"):
            checks.check(sum(row[histogram]) == row["timed"], "%s: the sum of its %s" % (name, histogram))
        print("%-12s %5d calls, %5d timed" % (name, row["calls"], row["timed"]))
    if kind == "native":
        slow = found["slow"]
        cost = counted["breakpoint_ns"] / 1e9 * slow["calls"] * 6  # of slow, spin and quick
        allowed = SLACK * output["slow_s"]
        checks.check(
            abs(slow["total_s"] + cost - output["slow_s"]) <= allowed,
            "slow: %.3f s and %.3f s of breakpoints, not %.3f s" % (slow["total_s"], cost, output["slow_s"]),
        )
        # 200 us each: nearly all in the bucket of 131 to 262 us, or above where others ran too.
        checks.check(sum(slow["total_histogram"][17:]) >= 0.98 * slow["calls"], "slow: %s" % slow["total_histogram"])
        checks.check(slow["own_s"] < 0.5 * slow["total_s"], "slow: %.3f s of its own" % slow["own_s"])
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
