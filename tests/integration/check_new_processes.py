#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_new_processes.py RECORDING OUTPUT...: names in processes that lived for a moment."""

import collections
import json
import sys

from recording import Checks, Recording, is_named, python_frames

NAMED_OF_RUN = 0.95  # samples with a name, of those that the time in named functions asks for
NAMED = 0.80  # … of all samples, loading and start of the interpreter included


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    hz = int(recording.meta["hz"])
    endings = collections.Counter()
    total = named = in_functions = 0
    asked = 0.0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as stream:
            expected = json.load(stream)
        process = recording.process(expected["pid"])
        who = f"{expected['python']} pid {expected['pid']}"
        if not checks.check(process, f"{who} is not in the recording once"):
            continue
        asked += expected["cpu_s"] * hz
        markers = {f["name"] for f in expected["functions"]}
        own = own_named = 0
        for count, ending, frames, _ in recording.samples(process):
            own += count
            endings[ending] += count
            if is_named(ending, frames):
                own_named += count
                if any(frame.name in markers for frame in python_frames(frames)):
                    in_functions += count
        total += own
        named += own_named
        checks.check(own_named, f"{who}: none of {own} samples has a name")
    print(
        f"{len(sys.argv) - 2} processes: {total} samples, {named} named ({named / max(total, 1):.1%});"
        f" {in_functions} in functions whose CPU time asks for {asked:.0f}; endings {dict(endings)}"
    )
    checks.check(named >= NAMED * total, f"only {named} of {total} samples are named")
    checks.check(
        in_functions >= NAMED_OF_RUN * asked,
        f"{in_functions} named samples in functions whose CPU time asks for {asked:.0f}",
    )
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
