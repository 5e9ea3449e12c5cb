#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_thread_quanta.py RECORDING OUTPUT...: several quanta at once, each in a thread of its own.

Every task that thread_pool.py tells is a quantum of its thread: label, id, data; boundaries within 20 ms; CPU time within 1 %
or 10 ms; waits, bytes, switches and samples are its own. What the process used is the sum of its quanta and its own time."""

import json
import sys

from recording import Checks, Recording

BOUNDARY_S = 0.020
CPU_SHARE, CPU_S = 0.01, 0.010
SLEEP_S = 0.05


def quanta_of(recording, pid):
    wall_s = int(recording.meta["start_wall_ns"]) / 1e9
    columns = "epoch tid label id data start end cpu whole sleep_ns queue_ns bytes reads switches faults rss threads".split()
    rows = recording.rows(
        "SELECT e.id, t.tid, q.label, q.quantum, q.dataid, e.start_ns, e.end_ns,"
        " (SELECT SUM(cpu_ns) FROM usage WHERE epoch = e.id), q.whole,"
        " (SELECT SUM(ns) FROM wait WHERE epoch = e.id AND class = 'sleep'),"
        " (SELECT SUM(ns) FROM wait WHERE epoch = e.id AND class = 'run_queue'),"
        " (SELECT SUM(bytes) FROM io JOIN file f ON f.id = io.file WHERE io.epoch = e.id AND op = 'read'"
        "   AND path LIKE '%/blocks'),"
        " (SELECT SUM(io.count) FROM io JOIN file f ON f.id = io.file WHERE io.epoch = e.id AND op = 'read'"
        "   AND path LIKE '%/blocks'),"
        " r.voluntary_switches, r.minor_faults, r.rss_peak_bytes, r.threads"
        " FROM quantum q JOIN epoch e ON e.id = q.epoch JOIN process p ON p.id = e.process"
        " LEFT JOIN thread_epoch o ON o.epoch = e.id LEFT JOIN thread t ON t.id = o.thread"
        " LEFT JOIN resource r ON r.epoch = e.id WHERE p.pid = ? ORDER BY e.start_ns",
        pid,
    )
    found = [dict(zip(columns, row)) for row in rows]
    for one in found:
        one["start"] = wall_s + one["start"] / 1e9
        one["end"] = one["end"] and wall_s + one["end"] / 1e9
    return found


def check_one(checks, who, told, found):
    for name in "tid", "label":
        checks.check(found[name] == told[name], f"{who}: its {name} is {found[name]!r}, not {told[name]!r}")
    checks.check(
        json.loads(found["data"] or "{}") == {"blocks": str(told["blocks"])}, f"{who}: its data are {found['data']}"
    )
    begin = max(told["called"] - found["start"], found["start"] - told["start"])
    checks.check(begin <= BOUNDARY_S, f"{who}: its start is off by {begin * 1e3:.1f} ms")
    end = found["end"] - told["end"] if found["end"] else 1e9
    checks.check(abs(end) <= BOUNDARY_S, f"{who}: its end is {end * 1e3:.1f} ms late")
    cpu = (found["cpu"] or 0) / 1e9
    checks.check(
        abs(cpu - told["cpu"]) <= max(CPU_S, CPU_SHARE * told["cpu"]), f"{who}: {cpu:.4f} s of CPU, not {told['cpu']:.4f}"
    )
    sleep = (found["sleep_ns"] or 0) / 1e9
    # Between setting its alarm and falling asleep it can lose the CPU.
    queue = (found["queue_ns"] or 0) / 1e9
    checks.check(SLEEP_S - 0.001 - queue <= sleep <= told["end"] - told["start"], f"{who}: slept {sleep:.4f} s")
    checks.check(
        (found["bytes"], found["reads"]) == (told["bytes"], told["blocks"]),
        f"{who}: {found['bytes']} bytes in {found['reads']} reads, not {told['bytes']} in {told['blocks']}",
    )
    # Those of the log's lines and of the measuring itself are not in both.
    for name, told_name in ("switches", "voluntary_switches"), ("faults", "minor_faults"):
        checks.check(
            found[name] is not None and abs(found[name] - told[told_name]) <= 4,
            f"{who}: {found[name]} {told_name}, not {told[told_name]}",
        )
    checks.check(found["threads"] == 1 and found["rss"] and found["rss"] > 1 << 20, f"{who}: threads or memory")
    return begin, abs(end), abs(cpu - told["cpu"])


def check_samples(recording, checks, pid):
    """What was sampled in a quantum was sampled in its thread, inside of the function; and nothing of it elsewhere."""
    inside = recording.rows(
        "WITH RECURSIVE up(leaf, id) AS (SELECT DISTINCT stack, stack FROM sample WHERE stack NOT NULL"
        " UNION SELECT leaf, parent FROM up JOIN stack ON stack.id = up.id WHERE parent NOT NULL),"
        " inside AS (SELECT DISTINCT leaf FROM up JOIN stack ON stack.id = up.id JOIN frame ON frame.id = stack.frame"
        " JOIN function ON function.id = frame.function WHERE function.name = 'run_task' AND file LIKE '%/thread_pool.py')"
        " SELECT o.epoch NOT NULL, s.stack IN inside, s.metric, SUM(s.count), SUM(o.epoch NOT NULL AND o.thread <> s.thread)"
        " FROM sample s JOIN epoch e ON e.id = s.epoch JOIN process p ON p.id = e.process"
        " LEFT JOIN thread_epoch o ON o.epoch = e.id WHERE p.pid = ? AND s.stack NOT NULL GROUP BY 1, 2, 3",
        pid,
    )
    count = {}
    for own, in_function, metric, number, strangers in inside:
        count[metric, bool(own), bool(in_function)] = number
        checks.check(not strangers, f"pid {pid}: {strangers} samples of other threads in quanta")
    for metric in "cpu", "offcpu":
        right = count.get((metric, True, True), 0)
        outside, other = count.get((metric, True, False), 0), count.get((metric, False, True), 0)
        print(f"pid {pid}: {metric} samples in quanta: {right} inside of the function, {outside} not; {other} out of quanta")
        # A sample at the very boundary, as the function begins or has ended.
        checks.check(right > 20 and outside + other <= 0.1 * right, f"pid {pid}: {metric} samples in the wrong quantum")


def check_output(recording, checks, path):
    with open(path, encoding="utf-8") as stream:
        told = [json.loads(line) for line in stream]
    checks.check(told, f"{path}: tells of no tasks")
    if not told:
        return
    pid = told[0]["pid"]
    all_found = quanta_of(recording, pid)
    found = {one["id"]: one for one in all_found if one["label"]}
    # What the recorder came too late for, on a busy node, it counts: at most the first of each thread.
    unread, cut = len(all_found) - len(found), sum(not one["whole"] for one in all_found)
    counted = dict(recording.rows("SELECT name, value FROM quality"))
    checks.check(len(all_found) == len(told), f"pid {pid}: {len(all_found)} quanta, not {len(told)}")
    checks.check(unread <= min(3, counted["quanta_unread"]), f"pid {pid}: {unread} quanta without a label")
    checks.check(cut <= min(3, counted["quanta_begun_late"]), f"pid {pid}: {cut} are not said to be whole")
    worst = [0.0, 0.0, 0.0]
    for one in told:
        if one["id"] in found:
            errors = check_one(checks, f"pid {pid}, {one['id']}", one, found[one["id"]])
            worst = [max(pair) for pair in zip(worst, errors)]
    together = max(sum(o["start"] <= t["start"] < o["end"] for o in told) for t in told)
    checks.check(together > 1, f"pid {pid}: only {together} tasks ran at once")
    check_samples(recording, checks, pid)
    (process, cpu, start, end), = recording.rows("SELECT id, cpu_ns, start_ns, end_ns FROM process WHERE pid = ?", pid)
    used, = recording.rows("SELECT SUM(cpu_ns) FROM usage JOIN epoch ON epoch.id = epoch WHERE process = ?", process)[0]
    checks.check(abs(used - cpu) <= 0.01 * cpu, f"pid {pid}: {used} of {cpu} ns of CPU are in epochs")
    elapsed, = recording.rows(
        "SELECT SUM(end_ns - start_ns) FROM epoch WHERE process = ? AND id NOT IN (SELECT epoch FROM thread_epoch)", process
    )[0]
    checks.check(abs(elapsed - (end - start)) <= 0.01 * (end - start), f"pid {pid}: epochs of {elapsed} ns")
    print(
        f"pid {pid}: {len(told)} quanta, {unread} unread, {cut} may begin late, up to {together} at once; worst errors: begin {worst[0] * 1e3:.1f} ms,"
        f" end {worst[1] * 1e3:.1f} ms, CPU {worst[2] * 1e3:.1f} ms"
    )


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    for path in sys.argv[2:]:
        check_output(recording, checks, path)
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
