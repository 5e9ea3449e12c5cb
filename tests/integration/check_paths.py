#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_paths.py REPORT OUTPUT FOLDER: what paths.py read and looked for, against a report by file and
operation."""

import collections
import json
import sys

from recording import Checks


def check_below(checks, rows, one):
    """More paths than a slice has room for: those that are left over count for their folder."""
    folder = one["below"]
    found = {row["file"]: row["op_count"] for row in rows
             if row["op"] == one["op"] and row["file"].startswith(folder + "/")}
    together = found.get(folder + "/*", 0)
    print(f"{folder}: {together} of {one['count']} {one['op']} together")
    checks.check(together, f"no {one['op']} of {folder}/*")
    count = sum(found.values())
    checks.check(count == one["count"], f"{one['op']} below {folder}: {count}, not {one['count']}")


def main():
    checks = Checks()
    with open(sys.argv[1], encoding="utf-8") as stream:
        rows = json.load(stream)["rows"]
    with open(sys.argv[2], encoding="utf-8") as stream:
        expected = json.load(stream)
    found = {(row["op"], row["file"]): row for row in rows}
    sums = collections.Counter()
    for one in expected:
        if "below" in one:
            check_below(checks, rows, one)
            continue
        sums[one["op"], one["file"], "bytes" if "bytes" in one else "count"] += one.get(
            "bytes", one.get("count"))
    for (op, path, what), number in sums.items():
        row = found.get((op, path))
        if checks.check(row, f"no {op} of {path}"):
            value = row["read_bytes"] if what == "bytes" else row["op_count"]
            checks.check(value == number, f"{op} of {path}: {value} {what}, not {number}")
    mounts = {row["file"]: row["mount"] for row in rows}
    bound = sys.argv[3] + "/bound"
    checks.check(mounts.get(bound + "/by bound") == bound,
                 f"by bound lies on {mounts.get(bound + '/by bound')}, not on {bound}")
    print(f"{len(sums)} paths")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
