#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_first_second.py OPTIONS RECORDING PIDS FDINFO STATUS: the first second of a recording of
processes of many_libraries.c.

--begin SECONDS   when the recorder was started, since 1970
--start SECONDS   how soon it should sample
--maps, --rss MB  the most memory that BPF maps and the recorder may take
FDINFO and STATUS are what /proc said of the recorder."""

import argparse
import collections
import os
import re
import sys

from recording import Checks, Recording

COMPLETE = 0.95  # stacks of the first second that reach the bottom
RIGHT = 0.95  # stacks below many_call that are the library's own calls, all of them
ENOUGH = 50
TAKEN = 0.8  # samples, of those that the CPU time of the first second asks for


def maps_bytes(path):
    """What the maps take, each counted once."""
    maps = {}
    with open(path, encoding="utf-8") as stream:
        memlock = None
        for line in stream:
            name, _, value = line.partition(":")
            if name == "pos":
                memlock = None
            if name == "memlock":
                memlock = int(value)
            if name == "map_id" and memlock is not None:
                maps[int(value)] = memlock
    return sum(maps.values()), len(maps)


def status_mb(path, key):
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def is_right(frames):
    """Whether it is in calls that many_libraries.c makes, without a gap; None: not in a library's."""
    library = []
    for frame in frames:
        module = re.search(r"/libraries/(\d+)\.so", frame.module or "")
        if frame.kind == "native" and module:
            library.append((int(module.group(1)), frame.name))
    if not library:
        return None
    number = library[0][0]
    # Fewer: on the way there or back.
    if any(other != number for other, _ in library) or len(library) > number % 16 + 5:
        return False
    if library[-1][1] != "many_call":
        return False
    numbers = [re.fullmatch(r"p(\d+)", name) for _, name in library[:-1]]
    if not all(numbers):
        return False
    first = int(numbers[0].group(1)) if numbers else 0
    return [int(match.group(1)) for match in numbers] == list(range(first, first + len(numbers)))


def main():
    parser = argparse.ArgumentParser()
    for name in ("begin", "start", "maps", "rss"):
        parser.add_argument("--" + name, type=float, required=True)
    parser.add_argument("recording")
    parser.add_argument("pids")
    parser.add_argument("fdinfo")
    parser.add_argument("status")
    options = parser.parse_args()
    recording = Recording(options.recording)
    checks = Checks()
    with open(options.pids, encoding="utf-8") as stream:
        pids = [int(line) for line in stream]
    of_them = (
        "epoch IN (SELECT epoch.id FROM epoch JOIN process ON process.id = epoch.process"
        " WHERE pid IN (%s))" % ",".join(map(str, pids))
    )
    slices = recording.rows(
        "SELECT id, start_ns, end_ns FROM slice WHERE id IN"
        " (SELECT slice FROM sample WHERE metric = 'cpu' AND %s) ORDER BY start_ns" % of_them
    )
    if not checks.check(slices, "no samples of the processes"):
        return 1
    first_ns = slices[0][1]
    first = [row for row in slices if row[1] < first_ns + 1e9]
    ids = ",".join(str(row[0]) for row in first)
    start = int(recording.meta["start_wall_ns"]) / 1e9 + first_ns / 1e9 - options.begin
    ((cpu_ns,),) = recording.rows(
        "SELECT SUM(cpu_ns) FROM usage WHERE slice IN (%s) AND %s" % (ids, of_them)
    )
    asked = (cpu_ns or 0) / 1e9 * int(recording.meta["hz"])
    all_ = complete = below = right = 0
    endings = collections.Counter()
    bad = collections.Counter()
    for stack, ending, count in recording.rows(
        "SELECT stack, ending, SUM(count) FROM sample WHERE metric = 'cpu' AND slice IN (%s) AND %s"
        " GROUP BY stack, ending" % (ids, of_them)
    ):
        frames = recording.frames(stack)
        user = [frame for frame in frames if frame.kind != "kernel"]
        whole = recording.is_whole(ending, frames, "many_libraries")
        all_ += count
        endings[ending] += count
        complete += count if whole else 0
        fits = is_right(user) if whole else None
        if fits is not None:
            below += count
            right += count if fits else 0
        if not whole or fits is False:
            names = [f"{frame.name} ({os.path.basename(frame.module)})" for frame in reversed(user)]
            bad[ending if not whole else "other calls", " > ".join(names)] += count
    maps, map_count = maps_bytes(options.fdinfo)
    rss, peak = status_mb(options.status, "VmRSS"), status_mb(options.status, "VmHWM")
    length = (first[-1][2] - first_ns) / 1e9
    startup = int(recording.meta["startup_cpu_ns"]) / 1e9
    print(
        f"{len(pids)} processes; first sample after {start:.2f} s (wanted: {options.start:.1f}),"
        f" {startup:.2f} s of CPU time; on a busy node that takes longer"
    )
    print(
        f"in the {length:.2f} s from then: {all_} samples ({all_ / max(asked, 1):.1%} of CPU times"
        f" rate), {complete / all_:.2%} to the bottom, {right} of {below} below many_call right"
    )
    print(f"endings {dict(endings)}")
    print(f"{map_count} maps {maps / 1e6:.1f} MB, recorder {rss:.1f} MB, at its peak {peak:.1f} MB")
    for (ending, names), count in bad.most_common(6):
        print(f"    {count} end as {ending}: {names}")
    checks.check(complete >= COMPLETE * all_, f"{all_ - complete} of {all_} stacks are cut")
    checks.check(below, "no stack below many_call")
    checks.check(right >= RIGHT * below, f"{below - right} of {below} have other calls in them")
    if asked >= ENOUGH:
        checks.check(all_ >= TAKEN * asked, f"{all_} samples, the CPU time asks for {asked:.0f}")
    checks.check(maps <= options.maps * 1e6, f"BPF maps of {maps / 1e6:.1f} MB")
    checks.check(peak <= options.rss, f"the recorder took {peak:.1f} MB")
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
