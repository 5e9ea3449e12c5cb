#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_alloc.py burst OUTPUT REPORT FUNCTIONS KEPT: what allocations.cc printed against `report --by alloc`, `--by
function --metric alloc_bytes` and stacks of alloc_kept.
check_alloc.py busy OUTPUT REPORT EXPECTED LIMIT SECONDS: CPU time of a round with and without breakpoints, against
what was expected (percent) and allowed. The first two lines of the workload's sums are of when the recorder began
and ended.
check_alloc.py instead OUTPUT REPORT MODULE: the burst with an allocator in the C library's place.
check_alloc.py python OUTPUT REPORT: what python_allocators.py printed."""

import json
import sys

from recording import Checks

PLACE = 0.05
FACTOR = 1.5  # of the slow-down that was predicted
LITTLE = 5  # percent: below it this node's noise is larger
LONG = 10  # seconds: in less, what a window more would have cost is still to be spent
EDGES = 0.25  # the recording begins before the first count of rounds, and ends after the last


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
        print("%-16s %12d bytes %+6.2f %%  n = %d" % (name, wanted, 100 * (found - wanted) / wanted, samples))
        checks.check(error <= PLACE, "%s: %d bytes, not %d" % (name, found, wanted))


def metrics(output, whole, functions, kept, checks):
    """The same as metrics, own and with callees, and as stacks."""
    rows = functions["rows"]
    for name, key in (("alloc_bytes", "bytes_in_windows"), ("alloc_count", "allocations_in_windows"),
                      ("alloc_kept_bytes", "kept_bytes")):
        found = sum(row[name] for row in rows)
        checks.check(abs(found - whole[key]) < 1, "%s by function: %f, not %d" % (name, found, whole[key]))
    for name, wanted in output["functions"].items():
        found = sum(row["total"]["alloc_bytes"] for row in rows if (row["function"] or "").split("(")[0] == name)
        checks.check(abs(found - wanted) <= PLACE * wanted, "%s: alloc_bytes %f, not %d" % (name, found, wanted))
    with open(kept, encoding="utf-8") as stream:
        stacks = [line.rsplit(" ", 1) for line in stream]
    found = sum(int(bytes_) for stack, bytes_ in stacks if "kept_blocks" in stack)
    checks.check(found >= (1 - PLACE) * output["kept_bytes"], "stacks of what is kept: %d bytes" % found)


def instead(output, report, module, checks):
    whole = report["allocations"]
    calls, bytes_ = (sum(pair[i] for pair in output["calls"].values()) for i in range(2))
    for key, wanted in (("allocations_in_windows", calls), ("bytes_in_windows", bytes_)):
        checks.check(whole[key] == wanted, "%s: %d, not %d" % (key, whole[key], wanted))
    checks.check(whole["kept"] == output["kept"], "never freed: %d, not %d" % (whole["kept"], output["kept"]))
    used = [row for row in report["allocators"] if row["calls_in_windows"] > row["nested"]]
    others = {row["module"] for row in used if not row["module"].startswith(module)}
    checks.check(not others, "calls in %s" % ", ".join(others))
    for row in used:
        print("  %-16s %8d calls, %8d nested, %10d bytes" % (
            row["name"], row["calls_in_windows"], row["nested"], row["bytes_in_windows"]))
    print("%s: %d calls, %d bytes, %d never freed" % (module, calls, bytes_, whole["kept"]))


def python(output, report, checks):
    """The interpreter asks the same functions for itself; of blocks of this size there are no others."""
    rows = {row["name"]: row for row in report["allocators"]}
    for name, (calls, bytes_) in output.items():
        row = rows.get(name)
        if checks.check(row, "%s: not in the report" % name):
            print("%-16s %6d of %d calls, %9d of %d bytes" % (
                name, row["calls_in_windows"], calls, row["bytes_in_windows"], bytes_))
            checks.check(row["calls_in_windows"] >= calls and row["bytes_in_windows"] >= bytes_, name)
    sizes = {row["from_bytes"]: row["calls"] for row in report["sizes"]}
    wanted = sum(calls for calls, _ in output.values())
    found = sizes.get(2048, 0)
    # PyObject_Malloc asks PyMem_RawMalloc for such, and that malloc.
    checks.check(wanted <= found <= wanted * 3, "%d calls for 2 to 4 KiB, not %d" % (found, wanted))


def slow_down_of(lines):
    """ns of a round without, and with a recorder at work, as the node is without; rounds of the latter; percent.
    What counts is time in units of the loops between: the node's own speed changes by more."""
    begin, end, last = lines[0], lines[1], lines[-1]
    during = {key: end[key] - begin[key] for key in end}
    alone = last["bare_cpu_ns"] / last["bare_loops_ns"]
    with_ = during["cpu_ns"] / during["loops_ns"]
    without_ns = last["bare_cpu_ns"] / last["bare_rounds"]
    return without_ns, without_ns * with_ / alone, during["rounds"], 100 * ((1 + with_) / (1 + alone) - 1)


def estimated(whole):
    if whole["allocations"] is None:
        return "at least %.0f" % whole["allocations_at_least"]
    error = whole["allocations_error"]
    return "%12.0f +- %s" % (whole["allocations"], "?" if error is None else "%.0f" % error)


def busy(lines, report, expected, limit, seconds, checks):
    without, with_, rounds, slow_down = slow_down_of(lines)
    whole = report["allocations"]
    factor = max(slow_down, 0) / expected if expected else 1
    print(
        "%10.0f %10.0f %9.1f %9.1f %7.2f %7g %12d %s"
        % (without, with_, slow_down, expected, factor, limit, rounds, estimated(whole))
    )
    checks.check(whole["allocations_at_least"] <= (1 + EDGES) * rounds,
                 "at least %d allocations, not %d" % (whole["allocations_at_least"], rounds))
    # Who allocates rarely finds the kernel's code out of the caches, so a breakpoint costs more than it did in
    # a loop; that matters where the whole is little.
    heavy = expected >= LITTLE or slow_down >= 2 * LITTLE
    checks.check(
        not heavy or ((1 / FACTOR <= factor or seconds < LONG) and factor <= FACTOR),
        "%.1f %% slower, %.1f %% were predicted" % (slow_down, expected),
    )
    checks.check(slow_down <= limit + (LITTLE if seconds < LONG else 0), "more than it may cost")


def main():
    checks = Checks()
    if sys.argv[1] == "burst":
        output, report = lines_of(sys.argv[2])[-1], load(sys.argv[3])
        burst(output, report, checks)
        metrics(output, report["allocations"], load(sys.argv[4]), sys.argv[5], checks)
    elif sys.argv[1] == "instead":
        instead(lines_of(sys.argv[2])[-1], load(sys.argv[3]), sys.argv[4], checks)
    elif sys.argv[1] == "python":
        python(lines_of(sys.argv[2])[-1], load(sys.argv[3]), checks)
    else:
        busy(lines_of(sys.argv[2]), load(sys.argv[3]), *map(float, sys.argv[4:7]), checks)
    sys.exit(checks.exit_status())


main()
