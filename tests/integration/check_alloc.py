#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_alloc.py burst OUTPUT REPORT: what allocations.cc printed against `report --by alloc`.
check_alloc.py busy WITHOUT WITH REPORT EXPECTED LIMIT: CPU time of a round without and with, against what
was expected (percent) and allowed."""

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


def output_of(path):
    with open(path, encoding="utf-8") as stream:
        return json.loads([line for line in stream if line.startswith("{")][-1])


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


def busy(without, with_, report, expected, limit, checks):
    per_round = [output["cpu_ns"] / output["rounds"] for output in (without, with_)]
    interleaved = with_["bare_rounds"] > with_["rounds"] / 5
    if interleaved:
        per_round[0] = with_["bare_ns"] / with_["bare_rounds"]
    slow_down = 100 * (per_round[1] / per_round[0] - 1)
    whole = report["allocations"]
    blocks, error = whole["allocations"], whole["allocations_error"] or math.nan
    print(
        "%.0f ns a round, %.0f with: %.1f %% slower; %.1f %% expected, at most %g; "
        "rounds %d, estimated %.0f +- %.0f"
        % (*per_round, slow_down, expected, limit, with_["rounds"], blocks, error)
    )
    if not interleaved:  # two runs: this node's speed may differ by more between them
        print("the window stayed open: not compared")
        off = abs(blocks / with_["rounds"] - 1)
        checks.check(off < 0.03, "%d allocations, not %d" % (blocks, with_["rounds"]))
        return
    checks.check(
        max(slow_down, expected) < LITTLE or 1 / FACTOR <= slow_down / expected <= FACTOR,
        "%.1f %% slower, %.1f %% were predicted" % (slow_down, expected),
    )
    checks.check(slow_down <= limit * 1.25 + LITTLE, "more than it may cost")


def main():
    checks = Checks()
    if sys.argv[1] == "burst":
        burst(output_of(sys.argv[2]), load(sys.argv[3]), checks)
    else:
        busy(
            output_of(sys.argv[2]), output_of(sys.argv[3]), load(sys.argv[4]), float(sys.argv[5]),
            float(sys.argv[6]), checks,
        )
    sys.exit(checks.exit_status())


main()
