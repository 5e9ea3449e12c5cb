#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_storm.py RECORDING OUTPUT COUNT: what the processes of storm.py printed against the recording."""

import collections
import json
import sys

from recording import Checks, Recording, python_frames

GOOD = 0.95  # stacks that reach the bottom, all with names
IN_LEAF = 0.95  # stacks in a process's own function, of its CPU time's share there
SHOWN = 20


class Sums:
    def __init__(self):
        self.processes = self.samples = self.good = self.in_leaf = 0
        self.asked = 0.0  # samples in leaves
        self.rate = 0.0  # samples that the CPU time asks for
        self.early = self.early_good = 0  # samples without any Python frame
        self.endings = collections.Counter()


def is_right_leaf(python, expected):
    """The process's own functions, in their order."""
    leaf = "storm_leaf_%d" % expected["number"]
    caller = "storm_caller_%d" % expected["number"]
    names = [frame.name for frame in python]
    if names[:1] == ["<module>"] or leaf not in names:
        return False
    at = names.index(leaf)
    callers = expected["callers"]
    return names[at + 1 : at + 1 + callers] == [caller] * callers


def add_process(checks, recording, expected, sums, bad):
    process = recording.process(expected["pid"])
    who = f"process {expected['number']} of CPython {expected['python']}"
    if not checks.check(process, f"{who} is not in the recording once"):
        return
    code = expected["number"] * 7 % 256
    checks.check(process.exit_code == code, f"{who} exited with {process.exit_code}, not {code}")
    own = sums[expected["python"]]
    own.processes += 1
    samples = 0
    for count, ending, frames, _ in recording.samples(process):
        python = python_frames(frames)
        good = recording.is_whole(ending, frames, expected["executable"])
        samples += count
        own.endings[ending] += count
        own.good += count if good else 0
        if not python:
            own.early += count
            own.early_good += count if good else 0
        if good and is_right_leaf(python, expected):
            own.in_leaf += count
        if not good:
            names = [frame.name for frame in reversed(frames)]
            bad[expected["python"], ending, " > ".join(names)] += count
    own.samples += samples
    own.asked += samples * expected["leaf_s"] * 1e9 / process.cpu_ns
    own.rate += process.cpu_ns / 1e9 * int(recording.meta["hz"])


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    sums = collections.defaultdict(Sums)
    bad = collections.Counter()
    with open(sys.argv[2], encoding="utf-8") as stream:
        processes = [json.loads(line) for line in stream]
    count = int(sys.argv[3])
    checks.check(len(processes) == count, f"{len(processes)} of {count} processes answered")
    for expected in processes:
        add_process(checks, recording, expected, sums, bad)
    print(
        f"{'CPython':>8} {'processes':>9} {'stacks':>7} {'good':>8} {'in leaves':>9} {'asked for':>9}"
        f" {'rate':>7} {'no Python yet':>13} {'good':>5}"
    )
    for version, own in sorted(sums.items(), key=lambda pair: int(pair[0].split(".")[1])):
        print(
            f"{version:>8} {own.processes:9} {own.samples:7} {own.good / max(own.samples, 1):8.2%}"
            f" {own.in_leaf:9} {own.asked:9.0f} {own.samples / own.rate:7.1%} {own.early:13} {own.early_good:5}"
            f"  {dict(own.endings)}"
        )
    for (version, ending, names), number in bad.most_common(SHOWN):
        print(f"    {version}: {number} end as {ending}: {names}")
    samples = sum(own.samples for own in sums.values())
    good = sum(own.good for own in sums.values())
    in_leaf = sum(own.in_leaf for own in sums.values())
    asked = sum(own.asked for own in sums.values())
    checks.check(samples, "no samples")
    print(f"{samples} stacks, {good / max(samples, 1):.2%} good, {in_leaf / asked:.2%} of leaves")
    checks.check(good >= GOOD * samples, f"{samples - good} of {samples} stacks are not whole")
    checks.check(
        in_leaf >= IN_LEAF * asked, f"{in_leaf} stacks in leaves whose CPU time asks for {asked:.0f}"
    )
    # Those whose stacks are not known are among the stacks that are not good.
    lost = {name: value for name, value in recording.lost().items() if name.startswith("lost_")}
    checks.check(not lost, f"the recording has losses: {lost}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
