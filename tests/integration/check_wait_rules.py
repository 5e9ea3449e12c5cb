#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_wait_rules.py RECORDING OUTPUT REPORT FOLDER [THROTTLED]: what wait_rules.py printed against
what was recorded.

REPORT is what `pipescope report RECORDING --by thread,wait --format json` printed. THROTTLED: seconds for
which the control group says it was throttled."""

import collections
import json
import sys

from recording import Checks, Recording, python_frames

EXACT = 0.03  # allowed error of an exact sum …
# What a disk answers within microseconds is waiting, CPU time or neither, and what is throttled is no
# delay of the run queue to the kernel's figures: threads cannot tell. test_waits.sh checks such sums.
UNMEASURED = ("page_reader", "memory_wanter", "file_syncer", "throttled_spinner")
LEAST = 0.01  # … and seconds
ESTIMATED = 0.1  # of an estimate from samples
MOSTLY = 0.9  # of a function's waiting that has to be of its class
# function -> its class, and whether that is counted
CLASSES = {
    "gil_wanter": ("gil", False),
    "lock_wanter": ("lock", False),  # what is left of it without gil
    "file_lock_wanter": ("file_lock", True),
    "throttled_spinner": ("throttled", True),
}
RECLAIMS = ("try_to_free_pages", "try_to_free_mem_cgroup_pages")


def read_samples(recording, process):
    """((class, function) -> seconds, kernel functions of each (class, stack) -> seconds)"""
    by_function = collections.Counter()
    in_kernel = collections.Counter()
    for stack, name, value in recording.rows(
        "SELECT stack, class, SUM(value) / 1e9 FROM sample WHERE metric = 'offcpu' AND stack"
        " IS NOT NULL AND epoch IN (SELECT id FROM epoch WHERE process = ?) GROUP BY 1, 2",
        process.id,
    ):
        frames = recording.frames(stack)
        for function in {f.name.rsplit(".", 1)[-1] for f in python_frames(frames)}:
            by_function[name, function] += value
        kernel = frozenset(f.name for f in frames if f.kind == "kernel")
        in_kernel[name, bool(kernel.intersection(RECLAIMS))] += value
    return by_function, in_kernel


def fits(recorded, measured, share):
    """Whether a sum is what the threads of a function measured. Their waits before and after that
    are recorded, too."""
    allowed = share * measured["waited"] + LEAST
    difference = recorded - measured["waited"]
    return -allowed <= difference <= allowed + measured["unmeasured"]


def check_function(checks, name, expected, sampled, sums):
    kind, exact = CLASSES[name]
    all_of = sum(sampled[one, name] for one in {kind, "lock", "gil"})
    right = sampled[kind, name]
    print(f"{name:18} {kind:10} {expected['waited'] + expected['queued']:7.3f} s measured,"
          f" {right:7.3f} of {all_of:7.3f} s by samples, {sums[kind]:7.3f} s in all")
    if exact:
        return
    checks.check(
        all_of > 0 and right >= MOSTLY * all_of,
        f"{name}: {right:.3f} s of {kind} by its samples, of {all_of:.3f} s",
    )


def main():
    recording = Recording(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as stream:
        expected = json.loads(stream.read().splitlines()[-1])
    with open(sys.argv[3], encoding="utf-8") as stream:
        rows = json.load(stream)["rows"]
    checks = Checks()
    process = recording.process(expected["pid"])
    own = "epoch IN (SELECT id FROM epoch WHERE process = %d)" % process.id
    recorded = dict(
        recording.rows("SELECT class, SUM(ns) / 1e9 FROM wait WHERE %s GROUP BY 1" % own)
    )
    finer = dict(recording.rows("SELECT name, part_of FROM wait_class WHERE estimated"))
    sums = collections.Counter()
    reported = collections.Counter()  # (tid, class) -> seconds
    for row in rows:
        sums[row["wait"]] += row["offcpu_s"]
        reported[row["thread"], row["wait"]] += row["offcpu_s"]
    functions = expected["functions"]
    sampled, in_kernel = read_samples(recording, process)

    # Splitting a class changes no sum, and what is estimated says so.
    checks.check(
        abs(sum(sums.values()) - sum(recorded.values())) < 1e-3 * sum(recorded.values()),
        f"{sum(sums.values())} s in the report, {sum(recorded.values())} s in the recording",
    )
    checks.check(finer.get("gil") == "lock", f"gil is a part of {finer.get('gil')}")
    for row in rows:
        name = row["wait"]
        checks.check(
            bool(row["wait_estimated"]) == (name in finer), f"{name}: {row['wait_estimated']}"
        )
        checks.check(
            name not in finer or name not in recorded, f"{name} is estimated, and counted too"
        )
    for name in functions:
        if name in CLASSES:
            check_function(checks, name, functions[name], sampled, sums)

    # Exact: by the thread's own clocks.
    threads = collections.defaultdict(collections.Counter)
    for tid, name, seconds in recording.rows(
        "SELECT tid, class, SUM(ns) / 1e9 FROM thread_wait JOIN thread ON thread.id = thread"
        " WHERE %s GROUP BY 1, 2" % own
    ):
        threads[tid][name] += seconds
    for name, one in functions.items():
        waited = sum(
            seconds
            for tid in one["tids"]
            for kind, seconds in threads[tid].items()
            if kind not in ("run_queue", "throttled")
        )
        checks.check(
            name in UNMEASURED or fits(waited, one, EXACT),
            f"{name}: waits of {waited:.4f} s, it measured {one['waited']:.4f} s",
        )
    one = functions["gil_wanter"]
    found = sum(reported[tid, "gil"] for tid in one["tids"])
    checks.check(
        fits(found, one, ESTIMATED),
        f"gil: {found:.3f} s of its two threads, which measured {one['waited']:.3f} s",
    )
    one = functions["file_lock_wanter"]
    checks.check(
        fits(recorded.get("file_lock", 0.0), one, EXACT),
        f"file_lock: {recorded.get('file_lock', 0.0):.4f} s, it measured {one['waited']:.4f} s",
    )

    # Page faults on a mapped file: nearly all of its stacks know it.
    faults = sampled["page_fault", "touch"] + sampled["mapped_file", "touch"]
    print(f"page_reader        mapped_file {sampled['mapped_file', 'touch']:.3f} of {faults:.3f} s")
    checks.check(
        faults < LEAST or sampled["mapped_file", "touch"] >= MOSTLY * faults,
        f"mapped_file: {sampled['mapped_file', 'touch']:.3f} of {faults:.3f} s",
    )

    # Waits for a file are on that file.
    one = functions["file_syncer"]
    (on_file,) = recording.rows(
        "SELECT TOTAL(wait_on.ns) / 1e9 FROM wait_on JOIN file ON file.id = wait_on.file"
        " WHERE path = ? AND " + own, sys.argv[4] + "/synced",
    )[0]
    in_class = sum(
        threads[tid][name] for tid in one["tids"] for name in ("disk", "file_system")
    )
    print(f"file_syncer        on its file {on_file:.3f} of {in_class:.3f} s")
    checks.check(
        abs(on_file - in_class) <= EXACT * in_class + 0.002,
        f"file_syncer: waits of {on_file:.4f} s on its file, {in_class:.4f} s by class",
    )

    if "throttled_spinner" in functions:
        one = functions["throttled_spinner"]
        throttled = sum(threads[tid]["throttled"] for tid in one["tids"])
        told = float(sys.argv[5])
        print(f"throttled_spinner  {throttled:.3f} s, its group was for {told:.3f} s")
        checks.check(
            0.9 * told - LEAST <= throttled <= one["waited"] + one["queued"] + LEAST,
            f"throttled for {throttled:.3f} s, its group for {told:.3f} s, the thread was ready"
            f" for {one['queued']:.3f} s",
        )
    if "memory_wanter" in functions:
        print(f"memory_wanter      reclaim {recorded.get('reclaim', 0.0):.3f} s, by samples"
              f" {in_kernel['reclaim', True]:.3f} s with and {in_kernel['reclaim', False]:.3f} s"
              " without a function of it on the stack")
        checks.check(recorded.get("reclaim", 0.0) > 0, "no waits in reclaim")
        checks.check(
            in_kernel["reclaim", False] <= 0.05 * in_kernel["reclaim", True] + 0.002,
            f"reclaim: {in_kernel['reclaim', False]:.3f} s of samples are not in it",
        )
        strange = {name: s for (name, is_in), s in in_kernel.items() if is_in and name != "reclaim"}
        checks.check(
            sum(strange.values()) <= 0.05 * in_kernel["reclaim", True] + 0.002,
            f"waits in reclaim are of other classes: {strange}",
        )
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
