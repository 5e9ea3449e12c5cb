#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_memory.py RECORDING OUTPUT REPORT: what memory.py printed against what was recorded.

REPORT is what `pipescope report RECORDING --by function --metric rss_growth --format json -n 0`
printed. What was mapped must be exact, what came within 5 % (its number of samples is printed); the
heap may have had room before, and has some to spare."""

import collections
import json
import sys

from recording import Checks, Recording, python_frames

GROWTH = 0.05
ABOUT = 0.05  # allocators need a little more than the objects
EXACT_GROWTH = 0.01  # of a process: its own and the interpreter's, which cannot be told apart


def maps_of(recording, process):
    """By Python function: count, bytes, live_count, live_bytes, peak_count, peak_bytes."""
    sums = collections.defaultdict(lambda: [0] * 6)
    for stack, *figures in recording.rows(
        "SELECT stack, count, bytes, live_count, live_bytes, peak_count, peak_bytes FROM memory_map"
        " WHERE epoch IN (SELECT id FROM epoch WHERE process = ?)", process.id
    ):
        for name in {frame.name for frame in python_frames(recording.frames(stack))}:
            sums[name] = [one + more for one, more in zip(sums[name], figures)]
    return sums


def check_heap(recording, checks, process, name, wanted):
    """One block was mapped by itself, and given back; the later ones made the heap grow."""
    sums = dict.fromkeys(("mapped", "heap"), (0, 0))
    for kind, stack, bytes_, live in recording.rows(
        "SELECT kind, stack, bytes, live_bytes FROM memory_map"
        " WHERE epoch IN (SELECT id FROM epoch WHERE process = ?)", process.id
    ):
        if name in {frame.name for frame in python_frames(recording.frames(stack))}:
            sums[kind] = (sums[kind][0] + bytes_, sums[kind][1] + live)
    checks.check(sums["mapped"] == (wanted["blocks"], 0), "%s: mapped %s" % (name, sums["mapped"]))
    checks.check(abs(sums["heap"][1] / wanted["heap"] - 1) <= ABOUT, "%s: heap %s" % (name, sums["heap"]))
    print("%-16s %7.1f of %7.1f MiB, live in the heap" % (name, sums["heap"][1] / 2**20, wanted["heap"] / 2**20))


def main():
    recording = Recording(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as stream:
        output = json.loads(stream.read().splitlines()[-1])
    with open(sys.argv[3], encoding="utf-8") as stream:
        rows = {row["function"]: row for row in json.load(stream)["rows"] if row["kind"] == "python"}
    checks = Checks()
    process = recording.process(output["pid"])
    maps = maps_of(recording, process)
    whole = collections.Counter()
    for name, wanted in output["functions"].items():
        if "count" in wanted:
            found = dict(zip(("count", "bytes", "live_count", "live", "peak_count", "peak"), maps[name]))
            checks.check(
                all(found[key] == wanted[key] for key in found),
                "%s: mapped %s, not %s" % (name, found, wanted),
            )
            row = rows.get(name, {}).get("total", {})
            for key, column in (("live", "mmap_live_bytes"), ("peak", "mmap_peak_bytes")):
                checks.check(
                    row.get(column, 0) == wanted[key],
                    "%s: the report has %s %s, not %s" % (name, column, row.get(column), wanted[key]),
                )
        if "heap" in wanted:
            check_heap(recording, checks, process, name, wanted)
        bytes_ = wanted.get("grown", wanted.get("about"))
        if not bytes_:
            continue
        whole[wanted.get("kind", "anonymous")] += bytes_
        row = rows.get(name)
        if not checks.check(row, "%s: not in the report" % name):
            continue
        grown, samples = row["total"]["rss_growth_bytes"], row["total"]["rss_growth_samples"]
        allowed = GROWTH if "grown" in wanted else ABOUT
        checks.check(
            abs(grown / bytes_ - 1) <= allowed,
            "%s: grew by %.0f bytes, not %.0f (%d samples)" % (name, grown, bytes_, samples),
        )
        print("%-16s %7.1f of %7.1f MiB, %+5.1f %%, %5d samples" % (
            name, grown / 2**20, bytes_ / 2**20, (grown / bytes_ - 1) * 100, samples))
    for kind, bytes_ in whole.items():
        grown = recording.rows("SELECT SUM(bytes) FROM memory_growth WHERE kind = ?"
                               " AND epoch IN (SELECT epoch.id FROM epoch JOIN process"
                               " ON process.id = epoch.process WHERE pid = ? OR parent = ?)",
                               kind, process.pid, process.id)[0][0] or 0
        checks.check(
            -0.002 <= grown / bytes_ - 1 <= EXACT_GROWTH,
            "%s pages of %.1f MiB came, not %.1f" % (kind, grown / 2**20, bytes_ / 2**20),
        )
        print("%-16s %7.1f of %7.1f MiB, %+6.3f %%, counted" % (
            kind, grown / 2**20, bytes_ / 2**20, (grown / bytes_ - 1) * 100))
    checks.check(not recording.lost(), "lost: %s" % recording.lost())
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
