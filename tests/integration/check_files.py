#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_files.py RECORDING OUTPUT FOLDER: what files.c printed against what was recorded: each
(file, operation, errno) with the same count and the same bytes, and nothing besides.

Files outside FOLDER are those of the program's start; they are not compared."""

import collections
import json
import posixpath
import re
import sys

from recording import Checks, Recording

SHOWN = 40


def as_recorded(name):
    """Recordings hold U+FFFD for what is not UTF-8; how many for one fault is not compared."""
    text = name.encode("latin-1").decode("utf-8", "replace")
    return re.sub("\ufffd+", "\ufffd", text)


def read_expected(output, folder):
    with open(output, encoding="utf-8") as stream:
        text = stream.read()
    printed = json.loads(text[text.index("{") :])
    expected = collections.Counter()
    sizes = collections.Counter()
    names = {}  # any name of a file -> its first one
    for row in printed["rows"]:
        paths = [posixpath.join(folder, as_recorded(name)) for name in row["names"]]
        for path in paths:
            names.setdefault(path, paths[0])
        key = (row["kind"], names[paths[0]] if paths else "", row["op"], row["error"])
        expected[key] += row["count"]
        sizes[key] += row["bytes"]
    return printed, expected, sizes, names


def read_recorded(recording, folder, names, comm):
    counts = collections.Counter()
    sizes = collections.Counter()
    for kind, path, op, error, count, size in recording.rows(
        "SELECT file.kind, file.path, op, error, SUM(count), SUM(bytes) FROM io"
        " JOIN file ON file.id = io.file JOIN epoch ON epoch.id = io.epoch"
        " JOIN image ON image.id = epoch.image WHERE image.comm = ?"
        " GROUP BY 1, 2, 3, 4",
        comm,
    ):
        if op == "fault" and path == "[unknown]":
            continue  # of what was mapped by the kernel, or before anybody looked
        if kind in ("file", "directory"):
            path = re.sub("\ufffd+", "\ufffd", posixpath.normpath(path))
            path = names.get(path, path)
            outside = path.startswith("/") and not path.startswith(folder + "/")
            if outside and path != folder and path not in names.values():
                continue
        else:
            path = ""
        counts[kind, path, op, error] += count
        sizes[kind, path, op, error] += size
    return counts, sizes


def check_totals(checks, expected, recorded, unavoidable):
    """Whatever the names: each (kind, operation, errno) with its count."""
    totals = collections.Counter()
    for (kind, _, op, error), count in expected.items():
        totals[kind, op, error] += count
    for (kind, _, op, error), count in recorded.items():
        totals[kind, op, error] -= count
    for key, missing in sorted(totals.items()):
        checks.check(0 <= missing <= unavoidable, f"{key}: of all files, {missing} too few")
    missing = sum(totals.values())
    if missing:
        print(f"{missing} too few: {unavoidable} is what the kernel may have left out")
        checks.check(missing <= unavoidable, "more than that are missing")


def check_files(checks, expected, expected_sizes, recorded, recorded_sizes, unavoidable):
    """Each file; how many differ."""
    wrong = []
    for key in sorted(set(expected) | set(recorded)):
        found = (recorded[key], recorded_sizes[key])
        wanted = (expected[key], expected_sizes[key])
        few = 0 <= wanted[0] - found[0] <= unavoidable and found[1] <= wanted[1]
        if found != wanted and not (unavoidable and few):
            wrong.append(f"{key}: {found} recorded, {wanted} made (count, bytes)")
    for line in wrong[:SHOWN]:
        checks.check(False, line)
    checks.check(len(wrong) <= SHOWN, f"and {len(wrong) - SHOWN} more")
    return len(wrong)


def check_histograms(checks, recording, unavoidable):
    # How long a fault took is not known.
    exact = dict(recording.rows("SELECT op, SUM(count) FROM io WHERE op NOT IN ('fault', 'major_fault')"
                                " GROUP BY op"))
    for op, count in recording.rows(
        "SELECT op, SUM(count) FROM io_histogram WHERE what = 'ns' GROUP BY op"
    ):
        checks.check(
            0 <= count - exact.pop(op, 0) <= unavoidable,
            f"{op}: {count} in the histograms, not as many as in io"
        )
    checks.check(not exact, f"no histograms of {sorted(exact)}")


def main():
    recording = Recording(sys.argv[1])
    folder = posixpath.realpath(sys.argv[3])
    checks = Checks()
    printed, expected, expected_sizes, names = read_expected(sys.argv[2], folder)
    recorded, recorded_sizes = read_recorded(recording, folder, names, printed.get("comm", "files"))
    if not any(op == "fault" for _, _, op, _ in expected):  # of some files a part of them is told
        for counts in (recorded, recorded_sizes):
            for key in [key for key in counts if key[2] == "fault"]:
                del counts[key]
    unavoidable = recording.unavoidable()
    check_totals(checks, expected, recorded, unavoidable)
    if not unavoidable:
        check_totals(checks, expected_sizes, recorded_sizes, 0)
    wrong = check_files(checks, expected, expected_sizes, recorded, recorded_sizes, unavoidable)
    check_histograms(checks, recording, unavoidable)
    print(
        f"{len(expected)} kinds of calls, {sum(expected.values())} calls,"
        f" {sum(expected_sizes.values())} bytes; {wrong} kinds differ;"
        f" {printed['hot_reads_per_second'] / 1e6:.2f} million reads per second at most"
    )
    lost = dict(recording.lost())
    lost.update(recording.rows("SELECT name, value FROM quality WHERE name = 'io_summed' AND value"))
    checks.check(not lost, f"the recording has losses: {lost}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
