#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_short_code.py RECORDING OUTPUT...: no name may be that of another function.

A name that came too late may be missing, and is then counted as such; a wrong one is a lie."""

import json
import re
import sys

from recording import Checks, Recording, python_frames

WRONG = 0.001  # of the samples
NUMBER = re.compile(r"^(?:caller|callee)_(\d+)$|^<generated (\d+)>$")


def numbers(frames):
    """Of the generated functions on the stack, by name and by file."""
    found = set()
    for frame in frames:
        for text in frame.name, frame.file or "":
            match = NUMBER.match(text)
            if match:
                found.add(match.group(1) or match.group(2))
    return found


def is_wrong(frames):
    names = [frame.name for frame in frames]
    if len(numbers(frames)) > 1:
        return True
    # Where a callee is named, its caller must be what called it, and the other way round.
    for inner, outer in zip(names, names[1:]):
        if inner.startswith("callee_") and not outer.startswith(("caller_", "[")):
            return True
        if outer.startswith("caller_") and not inner.startswith(("callee_", "[")):
            return True
    return False


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as stream:
            expected = json.load(stream)
        who = f"{expected['python']}, code that lives for {expected['milliseconds']} ms"
        who += " and is freed at once" if expected["collect"] else ""
        process = recording.process(expected["pid"])
        if not checks.check(process, f"{who}: pid {expected['pid']} is not in the recording once"):
            continue
        total = unnamed = wrong = silent = 0
        example = ""
        for count, ending, frames, _ in recording.samples(process):
            python = python_frames(frames)
            total += count
            if ending == "python_unnamed":
                unnamed += count
            if is_wrong(python):
                wrong += count
                silent += count if ending == "python" else 0
                example = example or " < ".join(
                    f"{frame.name} ({frame.file})" for frame in python
                )
        print(
            f"{who}: {total} samples of {expected['functions']} functions,"
            f" {unnamed / max(total, 1):.1%} unnamed, {wrong / max(total, 1):.2%} with a wrong name"
        )
        checks.check(total, f"{who}: no samples")
        checks.check(
            wrong <= WRONG * total, f"{who}: {wrong} samples ({silent} called complete), like {example}"
        )
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
