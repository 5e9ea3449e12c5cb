#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_alloc.py burst OUTPUT REPORT: what allocations.cc printed against `report --by alloc`.
check_alloc.py busy OUTPUT REPORT EXPECTED LIMIT: CPU time of a round with and without breakpoints, against
what was expected (percent) and allowed. The first two lines of the workload's sums are of when the recorder began
and ended."""

import json
import math
import sys

from recording import Checks

PLACE = 0.05
SIGMAS = 3.5  # what n samples may miss by chance; more than PLACE only where n is small
FACTOR = 1.5  # of the slow-down that was predicted
LITTLE = 5  # percent: below it this node's noise is larger


def load(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def lines_of(path):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.startswith("{")]


def burst(output, report, checks):
    allocators = {row["name"]: row for row in report["allocators"]}
    whole = report["allocations"]
    # new[] asks new, which asks malloc; so does realloc for a block that it does not have yet.
    asked = output["calls"]
    asked["operator new"] = [sum(pair) for pair in zip(asked["operator new"], asked["operator new[]"])]
    first = asked["realloc"][0] // 5
    asked["malloc"] = [sum(pair) for pair in zip(asked["malloc"], asked["operator new"], (first, first * 100))]
    for name, (calls, bytes_) in asked.items():
        row = allocators.get(name)
        if checks.check(row, "%s: not in the report" % name):
            for key, wanted in (("calls_in_windows", calls), ("bytes_in_windows", bytes_)):
                checks.check(row[key] == wanted, "%s: %s %d, not %d" % (name, key, row[key], wanted))
    checks.check(whole["windows"] >= 1 and whole["whole"], "the window was not open all the time")
    blocks = asked["malloc"][0] + sum(asked[name][0] for name in ("calloc", "realloc", "posix_memalign")) - first
    checks.check(
        whole["allocations"] == blocks, "%d allocations, not %d" % (whole["allocations"], blocks)
    )
    checks.check(
        allocators["malloc"]["nested"] == first,
        "nested: %d, not %d" % (allocators["malloc"]["nested"], first),
    )
    checks.check(
        allocators["free"]["calls"] == output["frees"] + asked["operator new"][0],
        "free: %d calls" % allocators["free"]["calls"],
    )
    print("burst: %d calls, %d never freed, windows %d" % (blocks, whole["kept"], whole["windows"]))
    checks.check(whole["kept"] == output["kept"], "never freed: %d, not %d" % (whole["kept"], output["kept"]))
    checks.check(
        whole["kept_bytes"] == output["kept_bytes"],
        "never freed: %d bytes, not %d" % (whole["kept_bytes"], output["kept_bytes"]),
    )
    places = {}
    for row in report["by_size"]:
        name = row["function"].split("(")[0]
        bytes_, samples = places.get(name, (0, 0))
        places[name] = (bytes_ + row["bytes"], samples + row["samples"])
    for name, wanted in output["functions"].items():
        found, samples = places.get(name, (0, 0))
        error = abs(found - wanted) / wanted
        limit = max(PLACE, SIGMAS / math.sqrt(samples)) if samples else 0
        print("%-16s %12d bytes %+6.2f %%  n = %d" % (name, wanted, 100 * (found - wanted) / wanted, samples))
        checks.check(error <= limit, "%s: %d bytes, not %d" % (name, found, wanted))


def slow_down_of(lines):
    """ns of a round without, and with a recorder at work, as the node is without; rounds of the latter; percent.
    What counts is time in units of the loops between: the node's own speed changes by more."""
    begin, end, last = lines[0], lines[1], lines[-1]
    during = {key: end[key] - begin[key] for key in end}
    alone = last["bare_cpu_ns"] / last["bare_loops_ns"]
    with_ = during["cpu_ns"] / during["loops_ns"]
    without_ns = last["bare_cpu_ns"] / last["bare_rounds"]
    return without_ns, without_ns * with_ / alone, during["rounds"], 100 * ((1 + with_) / (1 + alone) - 1)


def busy(lines, report, expected, limit, checks):
    without, with_, rounds, slow_down = slow_down_of(lines)
    whole = report["allocations"]
    factor = max(slow_down, 0) / expected if expected else 1
    print(
        "%10.0f %10.0f %9.1f %9.1f %7.2f %7g %12d %12.0f +- %.0f"
        % (without, with_, slow_down, expected, factor, limit, rounds, whole["allocations"],
           whole["allocations_error"] or 0)
    )
    checks.check(
        max(slow_down, expected) < LITTLE or 1 / FACTOR <= factor <= FACTOR,
        "%.1f %% slower, %.1f %% were predicted" % (slow_down, expected),
    )
    checks.check(slow_down <= max(limit, LITTLE), "more than it may cost")


def main():
    checks = Checks()
    if sys.argv[1] == "burst":
        burst(lines_of(sys.argv[2])[-1], load(sys.argv[3]), checks)
    else:
        busy(lines_of(sys.argv[2]), load(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]), checks)
    sys.exit(checks.exit_status())


main()
