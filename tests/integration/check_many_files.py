#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_many_files.py RECORDING OUTPUT FOLDER: what many_files.c printed against what was recorded."""

import json
import sys

from recording import Checks, Recording


def main():
    recording = Recording(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as stream:
        expected = json.load(stream)
    folder = sys.argv[3]
    checks = Checks()
    files, hot = expected["files"], expected["hot"]
    totals = {
        "open": (files + hot, 0),
        "write": (files + hot, expected["written"]),
        "close": (files, 0),
        "stat": (files, 0),
        "mkdir": (expected["folders"], 0),
        "read": (hot * expected["reads_of_each"], hot * expected["bytes_of_each"]),
    }
    recorded = {
        op: (count, size)
        for op, count, size in recording.rows(
            "SELECT op, SUM(count), SUM(bytes) FROM io JOIN file ON file.id = io.file"
            " WHERE error = 0 AND path LIKE ? || '%' GROUP BY op",
            folder + "/",
        )
    }
    # Of a file or directory whose name found no room in the ring buffer, the calls are there all the same.
    unnamed = {
        op: (count, size)
        for op, count, size in recording.rows(
            "SELECT op, SUM(count), SUM(bytes) FROM io JOIN file ON file.id = io.file"
            " WHERE error = 0 AND path IN ('[unknown]', '[unknown]/*') GROUP BY op"
        )
    }
    for op in sorted(set(totals) | set(recorded)):
        found, wanted = recorded.get(op, (0, 0)), totals.get(op, (0, 0))
        more = unnamed.get(op, (0, 0))
        if found != wanted:
            print(f"{op}: {wanted[0] - found[0]} calls without a path, {more[0]} in [unknown]")
        checks.check(
            all(0.99 * made <= named <= made <= named + rest
                for made, named, rest in zip(wanted, found, more)),
            f"{op}: (count, bytes) {found} recorded, {more} of them without a path, {wanted} made",
        )
    for i in range(hot):
        found = recording.rows(
            "SELECT SUM(count), SUM(bytes) FROM io JOIN file ON file.id = io.file"
            " WHERE op = 'read' AND error = 0 AND path = ?",
            f"{folder}/hot{i}",
        )[0]
        # In a slice that was full before it was read, a hot file is charged to its directory too.
        made = expected["reads_of_each"]
        print(f"hot{i}: {found[0]} of {made} reads under its own name")
        checks.check(
            found[0] and 0.8 * made <= found[0] <= made, f"hot{i}: {found} recorded, {made} made"
        )
    top = [
        path
        for (path,) in recording.rows(
            "SELECT path FROM io JOIN file ON file.id = io.file WHERE kind = 'file' AND path LIKE ? || '%'"
            " GROUP BY path ORDER BY SUM(count) DESC LIMIT ?",
            folder + "/",
            hot,
        )
    ]
    checks.check(
        sorted(top) == sorted(f"{folder}/hot{i}" for i in range(hot)), f"most operations: {top}"
    )
    kinds = dict(recording.rows("SELECT kind, COUNT(*) FROM file GROUP BY kind"))
    summed = dict(recording.rows("SELECT name, value FROM quality"))["io_summed"]
    print(f"{files} files, {kinds} rows in the recording, {summed} calls counted by directory")
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
