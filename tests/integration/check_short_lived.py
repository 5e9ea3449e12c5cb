#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_short_lived.py RECORDING OUTPUT: what short_lived.c printed against what was recorded."""

import collections
import json
import sys

from recording import Checks, Recording

# Kinds after whose last exec the arguments hold the process's number.
EXECS = {"exec": 1, "spawn": 1, "fork": 0, "leader-first": 1, "thread-exec": 2, "twice": 2}


def problems(recording, expected, parent):
    process = recording.process(expected["pid"])
    if not process:
        yield "%d entries in the recording" % len(recording.processes(expected["pid"]))
        return
    ended = (process.exit_code, process.exit_signal)
    wanted = (expected.get("code"), expected.get("signal"))
    if ended != wanted:
        yield f"ended as (code, signal) {ended} instead of {wanted}"
    if process.end_ns is None or not 0 <= process.start_ns <= process.end_ns:
        yield f"lives from {process.start_ns} to {process.end_ns}"
    if process.parent != parent:
        yield f"has parent {process.parent} instead of {parent}"
    images = recording.rows(
        "SELECT start_ns, comm, arguments FROM image WHERE process = ? ORDER BY start_ns, id",
        process.id,
    )
    execs = EXECS[expected["kind"]]
    # A row for what it was before its first exec is welcome, too.
    if len(images) not in (execs, execs + 1):
        yield f"has {len(images)} images for {execs} execs"
    elif execs:
        arguments = json.loads(images[-1][2])
        if arguments[0] != "short_lived" or arguments[-1] != expected["argument"]:
            yield f"was last started with {arguments}"


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    with open(sys.argv[2], encoding="utf-8") as stream:
        processes = json.load(stream)
    parent = recording.process(int(sys.argv[3]))
    checks.check(parent, "the parent is not in the recording once")
    wrong = collections.Counter()
    first = {}
    for expected in processes:
        for problem in problems(recording, expected, parent.id if parent else None):
            key = (expected["kind"], problem.split(" ")[0])
            wrong[key] += 1
            first.setdefault(key, f"{expected}: {problem}")
    for key, count in sorted(wrong.items()):
        checks.check(False, f"kind {key[0]}: {count} processes, like {first[key]}")
    print(f"{len(processes)} short processes, {sum(wrong.values())} problems")
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
