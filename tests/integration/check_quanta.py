#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_quanta.py [--lost SHARE] RECORDING OUTPUT...: every quantum that workloads tell is in the recording.

Its label, class, data, run and id are right; its boundaries within 20 ms; its CPU time within 1 % or 10 ms of what the
process saw; and the quanta and own time of each process sum up to its elapsed time within 1 %. With --lost only the
number of those found counts: at most that share may be missing, unread or late, and what is is counted."""

import json
import math
import sys

from recording import Checks, Recording

BOUNDARY_S = 0.020
CPU_SHARE, CPU_S = 0.01, 0.010
ELAPSED_SHARE = 0.01
# First quanta of a process whose interpreter the recorder found too late, on a busy node: they begin where
# they were first seen.
LATE_SHARE = 0.01
UNREAD_SHARE = 0.005  # over before the recorder had read their names: counted, and rare


def read_output(path):
    with open(path, encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.startswith("{")]


def process_of(recording, pid, lines):
    """The row of the process that told the lines: another one may have had its pid before or after."""
    wall_ns = int(recording.meta["start_wall_ns"])
    told = [line for line in lines if line["pid"] == pid]
    rows = recording.rows(
        "SELECT id FROM process WHERE pid = ? AND start_ns <= ? AND (end_ns IS NULL OR end_ns >= ?)",
        pid,
        round(min(line["start"] for line in told) * 1e9) - wall_ns,
        round(max(line["end"] for line in told) * 1e9) - wall_ns,
    )
    return rows[0][0] if len(rows) == 1 else None


class Found:
    """The quanta of a process, in their order."""

    def __init__(self, recording, process):
        wall_s = int(recording.meta["start_wall_ns"]) / 1e9
        self.quanta = [
            {
                "epoch": epoch, "label": label, "class": class_, "id": quantum, "run": run,
                "dataid": json.loads(dataid) if dataid else None, "start": wall_s + start / 1e9,
                "end": end and wall_s + end / 1e9, "task": task, "cpu": (cpu or 0) / 1e9, "whole": whole,
                "inputs": inputs and int(inputs),
            }
            for epoch, label, class_, quantum, run, dataid, start, end, task, cpu, whole, inputs in recording.rows(
                "SELECT epoch.id, label, class, quantum, run, dataid, epoch.start_ns, epoch.end_ns, task,"
                " (SELECT SUM(cpu_ns) FROM usage WHERE usage.epoch = epoch.id), whole,"
                " (SELECT value FROM quantum_data WHERE quantum_data.epoch = epoch.id AND field = 'inputs')"
                " FROM quantum JOIN epoch ON epoch.id = quantum.epoch WHERE process = ? ORDER BY epoch.start_ns",
                process,
            )
        ]


def check_times(checks, who, told, found, first):
    late = found["start"] - told["start"]
    if first and late > BOUNDARY_S:
        print(f"{who}: begins {late * 1e3:.1f} ms late")
        return None
    checks.check(abs(late) <= BOUNDARY_S, f"{who}: begins {late * 1e3:.1f} ms late")
    end = found["end"] - told["end"] if found["end"] else 1e9
    checks.check(abs(end) <= BOUNDARY_S, f"{who}: ends {end * 1e3:.1f} ms late")
    more = found["cpu"] - told["cpu"]
    checks.check(
        abs(more) <= max(CPU_S, CPU_SHARE * told["cpu"]),
        f"{who}: {found['cpu']:.4f} s of CPU time, not {told['cpu']:.4f} s",
    )
    # The first of a process may be said to have begun late, which is counted; no other is.
    checks.check(found["whole"] or first, f"{who}: is not said to be whole")
    return abs(late), abs(end), abs(more)


def check_names(checks, who, told, found):
    for name in "label", "class", "id", "run", "dataid":
        checks.check(
            found[name] == told[name], f"{who}: its {name} is {found[name]!r}, not {told[name]!r}"
        )
    checks.check(found["task"] == told["label"], f"{who}: its task is {found['task']!r}")
    checks.check(found["inputs"] == told.get("inputs"), f"{who}: has {found['inputs']} inputs, not {told.get('inputs')}")


def check_sums(recording, checks, pid, row):
    """The epochs of a process follow one another without a gap, and hold all its CPU time."""
    for process, start, end, cpu in recording.rows(
        "SELECT id, start_ns, end_ns, cpu_ns FROM process WHERE id = ? AND end_ns NOT NULL", row
    ):
        epochs = recording.rows(
            "SELECT id, start_ns, end_ns FROM epoch WHERE process = ? ORDER BY start_ns, id", process
        )
        elapsed = sum(epoch[2] - epoch[1] for epoch in epochs)
        checks.check(
            abs(elapsed - (end - start)) <= ELAPSED_SHARE * (end - start),
            f"pid {pid}: epochs of {elapsed / 1e9} s in {(end - start) / 1e9} s",
        )
        for one, other in zip(epochs, epochs[1:]):
            checks.check(one[2] == other[1], f"pid {pid}: a gap between epochs {one} and {other}")
        used = recording.rows(
            "SELECT SUM(cpu_ns) FROM usage JOIN epoch ON epoch.id = epoch WHERE process = ?", process
        )[0][0]
        checks.check(abs((used or 0) - cpu) <= 0.01 * cpu, f"pid {pid}: {used} of {cpu} ns are in epochs")


def check_own(recording, checks, lines):
    """What a process that says so is called outside of its quanta."""
    for line in lines:
        if "task" not in line:
            continue
        own = recording.rows(
            "SELECT task FROM epoch WHERE process = ? AND id NOT IN (SELECT epoch FROM quantum)"
            " ORDER BY start_ns DESC LIMIT 1",
            process_of(recording, line["pid"], lines),
        )
        checks.check(own == [(line["task"],)], f"pid {line['pid']}: its own task is {own}, not {line['task']}")


def check_output(recording, checks, path):
    lines = read_output(path)
    quanta = [line for line in lines if line["what"] != "process"]
    worst = [0.0, 0.0, 0.0]
    check_own(recording, checks, lines)
    unread = late = cut = 0
    checks.check(quanta, f"{path}: tells of no quanta")
    for pid in sorted({line["pid"] for line in lines}):
        told = sorted((line for line in quanta if line["pid"] == pid), key=lambda line: line["start"])
        who = f"{path.rsplit('/', 1)[-1]}, pid {pid}"
        process = process_of(recording, pid, lines)
        if not checks.check(process is not None, f"{who}: is no process, or several"):
            continue
        found = Found(recording, process).quanta
        if not checks.check(len(found) == len(told), f"{who}: {len(found)} quanta, not {len(told)}"):
            for one in found:
                print("   ", one)
            continue
        for one, other in zip(told, found):
            name = f"{who}, number {one['number']}"
            if other["label"] is None:
                unread += 1
            else:
                check_names(checks, name, one, other)
            errors = check_times(checks, name, one, other, one is told[0])
            late += errors is None
            cut += not other["whole"]
            worst = [max(pair) for pair in zip(worst, errors or worst)]
        check_sums(recording, checks, pid, process)
    print(
        f"{path.rsplit('/', 1)[-1]}: {len(quanta)} quanta; worst errors: begin {worst[0] * 1e3:.1f} ms,"
        f" end {worst[1] * 1e3:.1f} ms, CPU {worst[2] * 1e3:.1f} ms"
    )
    return len(quanta), unread, late, cut


def check_number(recording, checks, paths, share):
    told = found = 0
    for path in paths:
        lines = read_output(path)
        for line in lines:
            if line["what"] == "process":
                continue
            told += 1
            found += any(
                one["label"] == line["label"] and one["dataid"] == line["dataid"] and one["id"] == line["id"]
                for one in Found(recording, process_of(recording, line["pid"], lines)).quanta
            )
    lost = recording.rows(
        "SELECT name, value FROM quality WHERE value > 0 AND name IN"
        " ('late_quanta', 'lost_quanta', 'quanta_unread', 'quanta_begun_late', 'boundaries_unread')"
    )
    counted = dict(recording.rows("SELECT name, value FROM quality"))
    late = counted["quanta_begun_late"]
    unread = sum(counted[name] for name in ("lost_quanta", "quanta_unread"))
    print(f"{found} of {told} quanta found with label, data and id; said to be late or unread: {lost}")
    checks.check(told and told - found + late <= share * told, f"{told - found} of {told} are missing, {late} are late")
    # What is missing altogether is that of a process whose interpreter was found late.
    checks.check(
        told - found <= unread or counted["pythons_found_late"], f"{told - found} are missing, {unread} said to be"
    )


def main():
    arguments = sys.argv[1:]
    share = None
    if arguments[0] == "--lost":
        share = float(arguments[1])
        arguments = arguments[2:]
    recording = Recording(arguments[0])
    checks = Checks()
    if share is not None:
        check_number(recording, checks, arguments[1:], share)
        return checks.exit_status()
    told, unread, late, cut = map(sum, zip(*(check_output(recording, checks, path) for path in arguments[1:])))
    counted = recording.rows("SELECT value FROM quality WHERE name = 'quanta_unread'")[0][0]
    begun_late = recording.rows("SELECT value FROM quality WHERE name = 'quanta_begun_late'")[0][0]
    print(
        f"{told} quanta; {late} begin late, {cut} may, {begun_late} said to; {unread} unread, {counted} said to be"
    )
    checks.check(cut <= begun_late, "quanta that begin late are not counted")
    checks.check(late <= math.ceil(LATE_SHARE * told), "too many quanta begin late")
    checks.check(unread <= counted, "quanta without a label that are not counted")
    checks.check(unread <= math.ceil(UNREAD_SHARE * told), "too many quanta without a label")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
