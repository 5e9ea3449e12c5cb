#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_calls.py KIND COUNTS OUTPUT: what called.cc ("native") or called.py ("python") printed against
what `pipescope calls --format json` counted; "pstats": called.cc against --format pstats; "ways": what
leaving.cc printed, "ways-untimed": with --count-only."""

import json
import pstats
import sys

from recording import Checks

HALF_THROWS = 200  # of 400 calls
LEFT = {"throws": HALF_THROWS, "passes": HALF_THROWS}  # by an exception: without a time
# Times are told without what the breakpoints cost, on average; what other programs take is in both.
SLACK = 0.25
SIGMAS = 3.5


def check_shares(checks, found, shares):
    """How much of a function was not begun by a call that could be seen: estimated by samples."""
    for name, share in shares.items():
        row = found.get(name, {"samples": 0})
        if not checks.check(row["samples"] >= 10, "%s: %d samples" % (name, row["samples"])):
            continue
        off = abs(row["not_seen_share"] - share)
        checks.check(off <= (SIGMAS * row["not_seen_error"] if 0 < share < 1 else 0),
                     "%s: %.2f not seen, not %.2f" % (name, row["not_seen_share"], share))
        print("%-14s %3.0f %% not seen, +- %.0f, of %d samples" % (
            name, row["not_seen_share"] * 100, row["not_seen_error"] * 100, row["samples"]))


def check_pstats(path, output):
    """As Python's own module reads it."""
    checks = Checks()
    entries = {}
    for (_, _, name), (once, all_, own, total, callers) in pstats.Stats(path).stats.items():
        entries[name.split("(")[0].replace("work::", "", 1)] = (once, all_)
        checks.check(not callers and 0 <= own <= 1.1 * total + 0.001, "%s: %s" % (name, (own, total, callers)))
    for name, calls in output["calls"].items():
        wanted = (output["outer"].get(name, calls), calls)
        checks.check(entries.get(name) == wanted, "%s: %s, not %s" % (name, entries.get(name), wanted))
    checks.check(any("pipescope" in name for name in entries), "no word on what the figures are: %s" % entries)
    print("pstats: %d functions" % len(entries))
    return checks.exit_status()


def check_ways(kind, counted, output):
    """How calls ended: a time only where that was seen."""
    checks = Checks()
    rows = {row["function"]: row for row in counted["rows"]}
    fields = ("calls", "timed", "left", "recursive", "recursion_unknown")
    output.pop("sum")
    for name, wanted in output.items():
        if kind == "ways-untimed":
            wanted = [wanted[0], 0, 0, 0, wanted[0]]
        found = [rows.get(name, {}).get(field) for field in fields]
        checks.check(found == wanted, "%s: %s, not %s" % (name, found, wanted))
        jumped = wanted[1] if name in ("way_tail", "way_only_jump") else 0
        checks.check(rows.get(name, {}).get("jumped") == jumped, "%s: not %d jumped" % (name, jumped))
        # The pauses between them are 500 us each; other programs take time of some.
        row = rows.get(name, {"total_histogram": [], "total_s": 0})
        late = sum(row["total_histogram"][18:])
        checks.check(name.startswith("deep") or late <= 0.2 * wanted[1], "%s: %d of 262 us" % (name, late))
        total = row["total_s"]
        checks.check(found[1] or not total, "%s: %s s of no call" % (name, total))
    print("%s: %d functions" % (kind, len(output)))
    return checks.exit_status()


def main():
    kind = sys.argv[1]
    with open(sys.argv[3], encoding="utf-8") as stream:
        output = json.loads(stream.read().splitlines()[-1])
    if kind == "pstats":
        return check_pstats(sys.argv[2], output)
    with open(sys.argv[2], encoding="utf-8") as stream:
        counted = json.load(stream)
    if kind.startswith("ways"):
        return check_ways(kind, counted, output)
    checks = Checks()
    found = {}
    for row in counted["rows"]:
        name = row["function"].split("(")[0]
        found[name.split(".")[-1] if kind == "python" else name.replace("work::", "", 1)] = row
    wanted = output["calls"]
    # From 3.11 on these stay in the interpreter's loop.
    if kind == "python" and output["inlines"]:
        for name in ("from_python", "nested", "never_from_c"):
            wanted.pop(name)
            checks.check(found.get(name, {"calls": 0})["calls"] <= 20, "%s: %s" % (name, found.get(name)))
        wanted["half_from_c"] //= 2
        check_shares(checks, found, output["shares"])
    for name, calls in wanted.items():
        row = found.get(name, {"calls": 0, "recursive": 0, "timed": 0, "total_histogram": [], "own_histogram": []})
        checks.check(row["calls"] == calls, "%s: %d calls, not %d" % (name, row["calls"], calls))
        timed = calls - (LEFT.get(name, 0) if kind == "native" else 0)
        checks.check(row["timed"] == timed, "%s: %d with a time, not %d" % (name, row["timed"], timed))
        for histogram in ("total_histogram", "own_histogram"):
            checks.check(sum(row[histogram]) == row["timed"], "%s: the sum of its %s" % (name, histogram))
        print("%-12s %5d calls, %5d timed" % (name, row["calls"], row["timed"]))
        once = row["calls"] - row["recursive"]
        checks.check(once == output["outer"].get(name, calls), "%s: %d not recursive" % (name, once))
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
        checks.check((slow["own_s"] or 0) < 0.5 * slow["total_s"], "slow: %s s of its own" % slow["own_s"])
        # What takes less than its breakpoints has no time.
        for row in counted["rows"]:
            least = row["timed"] * counted["least_ns"] / 1e9 * 0.999
            checks.check(row["own_s"] is None or row["own_s"] >= least, "%s: %s" % (row["function"], row["own_s"]))
        checks.check(counted["least_ns"] == 2 * counted["breakpoint_ns"], "least_ns is %s" % counted["least_ns"])
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
