#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_waits.py RECORDING OUTPUT REPORT [SLACK]: what waits.py printed against what was recorded.

REPORT is what `pipescope report RECORDING --by function,wait --metric offcpu --format json -n 0`
printed. SLACK: times the tolerances of times; 1 on a real CPU. On an emulated one (above 1) threads
often wait for the interpreter's lock, also where they measure another class: see class_differs()."""

import collections
import json
import sys

from recording import Checks, Recording, python_frames

SLACK = float(sys.argv[4]) if len(sys.argv) > 4 else 1.0
EXACT = 0.02  # allowed error of a sum
LEAST = 0.005  # seconds: what a thread does before and after its function
# Seconds per wait: a thread that is woken is charged with CPU time from when it was put into the run
# queue, though it runs some microseconds later (the kernel skips an update of its clock), and by
# then its CPU may have been handling interrupts.
WAKE = 10e-6
# What a disk answers within microseconds or, in a virtual machine, by memory that the host first has to
# find, is waiting, CPU time or neither, and a thread cannot tell them apart so well.
# fault_resolver's lock is the interpreter's, which its clocks wait for, too.
ROUGH = {"page_toucher": 0.1, "fault_resolver": 0.05}
WOKEN = 0.99  # of the time whose stacks were taken, and whose end was seen: by whom it had to be
# Of the ends that are told at all: a kernel that runs no program while threads of its own choice are
# interrupted leaves some out. These waits have no waker rather than a wrong one.
UNSEEN = 0.01
# (function, class) -> function of the thread that ends these waits; None: a timer or a disk does
WAKERS = {
    ("sleep_short", "sleep"): None,
    ("sleep_long", "sleep"): None,
    ("lock_holder", "sleep"): None,
    ("lock_waiter", "lock"): "lock_holder",
    ("pipe_reader", "pipe"): "feeder",
    ("socket_reader", "socket"): "feeder",
    ("process_reader", "pipe"): "(writer)",
    ("select_timeout", "poll"): None,
    ("poll_timeout", "poll"): None,
    ("epoll_timeout", "poll"): None,
    ("fault_waiter", "page_fault"): "fault_resolver",
    ("page_toucher", "page_fault"): None,
}
START = 0.1  # seconds from the recording's begin until it sees waits that go on already …
START_SHARE = 0.05  # … or so much of it, on a busy node
SAMPLED = 0.05  # allowed error of an estimate from samples


class Figures:
    """Of the one process, in seconds."""

    def __init__(self, recording, pid):
        self.process = recording.process(pid)
        own = "epoch IN (SELECT id FROM epoch WHERE process = %d)" % self.process.id
        self.threads = collections.defaultdict(dict)
        self.wait_counts = collections.Counter()  # by tid
        for tid, name, ns, count in recording.rows(
            "SELECT tid, class, SUM(thread_wait.ns), SUM(count) FROM thread_wait"
            " JOIN thread ON thread.id = thread_wait.thread WHERE %s GROUP BY tid, class" % own
        ):
            self.threads[tid][name] = ns / 1e9
            self.wait_counts[tid] += count
        self.totals = {
            name: ns / 1e9
            for name, ns in recording.rows(
                "SELECT class, SUM(ns) FROM wait WHERE %s GROUP BY class" % own
            )
        }
        # What only stacks tell is counted as the class that it is a part of.
        self.part_of = dict(recording.rows("SELECT name, part_of FROM wait_class WHERE estimated"))
        self.sampled = collections.Counter()  # (class, function) -> seconds
        self.counts = collections.Counter()
        # (class, function, tid; 0: interrupt; None: not seen) -> seconds
        self.woken = collections.Counter()
        self.ends = collections.Counter()  # the same -> waits
        self.class_sampled = collections.Counter()
        frames = {}
        for stack, name, waker, count, value in recording.rows(
            "SELECT stack, class, CASE waker WHEN 0 THEN 0 ELSE thread.tid END, SUM(count),"
            " SUM(value) FROM sample LEFT JOIN thread ON thread.id = sample.waker"
            " WHERE metric = 'offcpu' AND %s GROUP BY 1, 2, 3" % own
        ):
            if stack not in frames:
                frames[stack] = {f.name for f in python_frames(recording.frames(stack))}
            name = self.part_of.get(name, name)
            self.class_sampled[name] += value / 1e9
            for function in {f.rsplit(".", 1)[-1] for f in frames[stack]}:
                self.sampled[name, function] += value / 1e9
                self.counts[name, function] += count
                self.woken[name, function, waker] += value / 1e9
                self.ends[name, function, waker] += count

    def estimate(self, name, function):
        """Of the exact sum of the class, the function's share of the samples."""
        if not self.class_sampled[name]:
            return 0.0
        return self.totals[name] * self.sampled[name, function] / self.class_sampled[name]


def read_report(path, part_of):
    """(class, function) -> seconds, also of what it called. Threads that do little else than to wait
    for these three are idle to a report."""
    with open(path, encoding="utf-8") as stream:
        rows = json.load(stream)["rows"]
    reported = collections.Counter()
    for row in rows:
        if row["kind"] != "python":
            continue
        name = part_of.get(row["wait"], row["wait"])
        names = ("lock", "poll", "socket") if name == "idle" else (name,)
        for name in names:
            reported[name, row["function"].rsplit(".", 1)[-1]] += row["total"]["offcpu_s"]
    return reported


def differs(recorded, expected, share, least=LEAST):
    return abs(recorded - expected) > SLACK * (share * expected + least)


def class_differs(recorded, names, seconds, exact, least):
    """Whether the waits of a thread's classes are not those it measured. It cannot tell waiting for
    the interpreter's lock from them: what it measured may hold that, so on a slow CPU it lies
    between the class alone and the class with lock."""
    found = sum(recorded.get(name, 0.0) for name in names.split("+"))
    if SLACK <= 1:
        return differs(found, seconds, exact, least)
    most = found + (0.0 if "lock" in names else recorded.get("lock", 0.0))
    allowed = SLACK * (exact * seconds + least)
    return most < seconds - allowed or ("lock" not in names and found > seconds + allowed)


def check_sums(checks, figures, function, expected):
    recorded = figures.threads.get(expected["tid"], {})
    wakes = WAKE * figures.wait_counts[expected["tid"]]
    total = sum(recorded.values())
    waited = expected["wall"] - expected["cpu"]
    exact = ROUGH.get(function, EXACT)
    checks.check(
        not differs(total, waited, exact, LEAST + wakes),
        f"{function}: waits of {total:.4f} s recorded, of {waited:.4f} s measured",
    )
    for names, seconds in expected["waits"].items():
        found = sum(recorded.get(name, 0.0) for name in names.split("+"))
        # A call that ends waits for the interpreter's lock, too: that is of class lock.
        checks.check(
            not class_differs(recorded, names, seconds, exact, 2 * LEAST + wakes),
            f"{function}: {names} for {found:.4f} s recorded, for {seconds:.4f} s measured",
        )
    return total / waited - 1


def check_samples(checks, figures, reported, function, expected):
    for names, seconds in expected["waits"].items():
        if names == "run_queue" or seconds < 0.1 * expected["wall"]:
            continue
        known = "measured"
        if SLACK > 1:  # whatever it measured, its samples stand for what was recorded of it
            recorded = figures.threads.get(expected["tid"], {})
            seconds = sum(recorded.get(name, 0.0) for name in names.split("+"))
            known = "recorded"
        found = sum(figures.estimate(name, function) for name in names.split("+"))
        count = sum(figures.counts[name, function] for name in names.split("+"))
        shown = sum(reported[name, function] for name in names.split("+"))
        # Waits shorter than the period are chosen by chance: three standard deviations.
        allowed = max(ROUGH.get(function, SAMPLED), 3 / max(count, 1) ** 0.5)
        print(
            f"{function:>18} {names:16} {seconds:8.3f} s {known}, {found:8.3f} s by {count} samples,"
            f" {100 * (found / max(seconds, 1e-9) - 1):+.2f} %, {shown:.3f} s in the report"
        )
        checks.check(
            not differs(found, seconds, allowed, 0.0),
            f"{function}: {names} for {found:.4f} s by its samples, for {seconds:.4f} s {known}",
        )
        checks.check(
            not differs(shown, seconds, allowed, 0.0),
            f"{function}: {names} for {shown:.4f} s in the report, for {seconds:.4f} s {known}",
        )


def check_wakers(checks, figures, expected):
    tids = {name: measured["tid"] for name, measured in expected["functions"].items()}
    tids["(writer)"] = expected["writer"]
    ends = unseen = 0
    for (function, name), waker in WAKERS.items():
        if function not in tids or (SLACK > 1 and name == "lock"):
            continue
        tid = tids[waker] if waker else 0
        ends += sum(c for (n, f, _), c in figures.ends.items() if (n, f) == (name, function))
        unseen += figures.ends[name, function, None]
        all_of = sum(s for (n, f, by), s in figures.woken.items()
                     if (n, f) == (name, function) and by is not None)
        if all_of < LEAST:  # a file system in memory has no such faults
            continue
        right = figures.woken[name, function, tid] / max(all_of, 1e-9)
        print(f"{function:>18} {name:16} {100 * right:.2f} % woken by {waker or 'an interrupt'}")
        checks.check(
            right >= WOKEN,
            f"{function}: only {100 * right:.2f} % of {name} woken by {waker or 'an interrupt'}",
        )
    print(f"the ends of {unseen} of {ends} waits were not seen")
    checks.check(unseen <= UNSEEN * ends, f"the ends of {unseen} of {ends} waits were not seen")


def check_never(checks, recording, figures, reported, function, expected):
    ((start_ns, end_ns),) = recording.rows("SELECT MIN(start_ns), MAX(end_ns) FROM slice")
    begin_ns = expected["begin_boot_ns"] - int(recording.meta["start_boot_ns"])
    seconds = (end_ns - max(start_ns, begin_ns)) / 1e9
    late = max(START, START_SHARE * seconds) if begin_ns < start_ns else LEAST
    recorded = figures.threads.get(expected["tid"], {})
    found = recorded.get("lock", 0.0)
    print(f"{function:>18} lock             {seconds:8.3f} s measured, {found:8.3f} s recorded")
    checks.check(
        not differs(found, seconds, EXACT, late),
        f"{function}: lock for {found:.4f} s recorded, for {seconds:.4f} s in truth",
    )
    sampled = figures.estimate("lock", function)
    checks.check(
        not differs(sampled, seconds, SAMPLED, late),
        f"{function}: lock for {sampled:.4f} s by its samples, for {seconds:.4f} s in truth",
    )
    shown = reported["lock", function]
    checks.check(
        not differs(shown, seconds, SAMPLED, late),
        f"{function}: lock for {shown:.4f} s in the report, for {seconds:.4f} s in truth",
    )


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    with open(sys.argv[2], encoding="utf-8") as stream:
        *words, last = stream.read().splitlines()
    expected = json.loads(last)
    for line in words[1:]:  # behind "ready": what is not possible here
        print(line)
    figures = Figures(recording, expected["pid"])
    reported = read_report(sys.argv[3], figures.part_of)
    worst = 0.0
    for function, measured in sorted(expected["functions"].items()):
        if "waits" in measured:
            worst = max(worst, check_sums(checks, figures, function, measured), key=abs)
            check_samples(checks, figures, reported, function, measured)
        else:
            check_never(checks, recording, figures, reported, function, measured)
    check_wakers(checks, figures, expected)
    by_thread = collections.Counter()
    for waits in figures.threads.values():
        by_thread.update(waits)
    for name in sorted(set(by_thread) | set(figures.totals)):
        checks.check(
            not differs(by_thread[name], figures.totals.get(name, 0.0), 1e-6, 1e-6),
            f"{name}: {figures.totals.get(name)} s in all, {by_thread[name]} s by thread",
        )
    print(f"{len(expected['functions'])} threads, worst error of a sum {100 * worst:+.3f} %")
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
