#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_shares.py RECORDING REPORT OUTPUT...: what shares.py printed against what was recorded.

REPORT is what `pipescope report RECORDING --by process,function --format json` printed: its sums must
be those of the recording's rows."""

import collections
import json
import sys

from recording import Checks, Recording, is_named, python_frames

POINTS = 0.02  # allowed error of a function's share
NAMED = 0.99  # samples of the process whose Python frames are complete and named
LEAF = 0.98  # the frame at the call's edge is not yet, or no longer, the running one
RATE = 0.04  # samples against CPU time, where others compete for the CPU
DEEP_FRAMES = 61  # of deep_descend above deep_leaf


def ratio(part, whole):
    return part / whole if whole else 0.0


class Tally:
    """Samples in which a function is on the stack, however often."""

    def __init__(self):
        self.any = 0  # of these also stacks that are not complete
        self.samples = self.leaf = self.leaf_in_marker = self.line = self.depth = self.native = 0
        self.modules = collections.Counter()


def tally_sample(tally, function, count, frames):
    python = python_frames(frames)
    user = [frame for frame in frames if frame.kind != "kernel"]
    tally.samples += count
    if python[0].name in function["leaves"]:
        tally.leaf += count
    if python[0].name == function["name"]:
        tally.leaf_in_marker += count
        first = function["last_line"] if function["builtin"] else function["first_line"]
        if python[0].line is not None and first <= python[0].line <= function["last_line"]:
            tally.line += count
    if user[0].kind == "native":
        tally.native += count
        tally.modules[user[0].module.rsplit("/", 1)[-1]] += count
    if sum(frame.name == "deep_descend" for frame in python) == DEEP_FRAMES:
        tally.depth += count


def check_function(checks, who, function, tally, all_samples):
    name = function["name"]
    share = ratio(tally.samples, all_samples)
    error = share - function["share"]
    checks.check(
        abs(error) <= POINTS,
        f"{who}: {name} has {share:.1%} of the samples, {function['share']:.1%} of the CPU",
    )
    checks.check(
        tally.leaf >= LEAF * tally.samples,
        f"{who}: under {name} another function is innermost in"
        f" {tally.samples - tally.leaf} of {tally.samples} samples",
    )
    checks.check(
        tally.line >= LEAF * tally.leaf_in_marker,
        f"{who}: {name} has a line outside of its own in"
        f" {tally.leaf_in_marker - tally.line} of {tally.leaf_in_marker} samples",
    )
    if name == "deep_leaf":
        checks.check(
            tally.depth >= LEAF * tally.samples,
            f"{who}: {tally.samples - tally.depth} of {tally.samples} samples of {name} have not"
            f" {DEEP_FRAMES} frames of deep_descend",
        )
    if name.endswith("_released"):
        checks.check(
            tally.native >= 0.9 * tally.samples,
            f"{who}: {name}: only {tally.native} of {tally.samples} samples have a native leaf",
        )
        print(f"    {name}: leaves in {dict(tally.modules)}")
    return error


def check_report(checks, who, pid, tallies, report):
    rows = {
        (row["function"], row["file"], row["function_line"]): row
        for row in report["rows"]
        if row["pid"] == pid and row["kind"] == "python"
    }
    for key, tally in tallies.items():
        reported = rows[key]["total"]["samples"] if key in rows else 0
        checks.check(
            reported == tally.any,
            f"{who}: report has {reported} samples with {key[0]}, the recording {tally.any}",
        )


def check_process(checks, recording, report, expected):
    who = f"{expected['python']} {expected['executable']}"
    process = recording.process(expected["pid"])
    if not checks.check(process, f"{who}: pid {expected['pid']} is not in the recording once"):
        return
    functions = {(f["name"], f["file"], f["first_line"]): f for f in expected["functions"]}
    tallies = {key: Tally() for key in functions}
    endings = collections.Counter()
    total = named = 0
    for count, ending, frames, _ in recording.samples(process):
        total += count
        endings[ending] += count
        complete = is_named(ending, frames)
        named += count if complete else 0
        for key in {(f.name, f.file, f.first_line) for f in python_frames(frames)}:
            if key in functions:
                tallies[key].any += count
                if complete:
                    tally_sample(tallies[key], functions[key], count, frames)

    all_samples = sum(tally.samples for tally in tallies.values())
    errors = [
        check_function(checks, who, functions[key], tallies[key], all_samples) for key in functions
    ]
    hz = int(recording.meta["hz"])
    check_report(checks, who, expected["pid"], tallies, report)
    rate = ratio(total, process.cpu_ns / 1e9 * hz)
    checks.check(
        abs(rate - 1) <= RATE, f"{who}: {rate:.1%} of the samples that its CPU time asks for"
    )
    print(
        f"{who}: {total} samples ({rate:.1%} of CPU times {hz} Hz), {ratio(named, total):.2%} named,"
        f" worst error {100 * max(errors, key=abs):+.2f} points, endings {dict(endings)}"
    )
    checks.check(
        ratio(named, total) >= NAMED, f"{who}: only {ratio(named, total):.2%} of samples are named"
    )
    checks.check(0.9 <= rate <= 1.1, f"{who}: {rate:.1%} of the samples that its CPU time asks for")
    checks.check(
        process.python == expected["python"],
        f"{who}: recorded as Python {process.python}",
    )


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    with open(sys.argv[2], encoding="utf-8") as stream:
        report = json.load(stream)
    for path in sys.argv[3:]:
        with open(path, encoding="utf-8") as stream:
            check_process(checks, recording, report, json.loads(stream.read().splitlines()[-1]))
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
