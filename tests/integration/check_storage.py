#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_storage.py datasets|torn REPORT OUTPUT...: what storage.py printed against what `report
--format json` says."""

import json
import sys

from recording import Checks


def load(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def check_datasets(checks, report, outputs):
    rows = {}
    for row in report["rows"]:
        if row["dataset"] is not None:
            rows[row["task"], row["dataset"]] = row
    tasks = set()
    for output in outputs:
        tasks.add(output["task"])
        for kind, expected in output["types"].items():
            row = rows.pop((output["task"], kind), None)
            if not checks.check(row, f"{output['task']}: no row of {kind}"):
                continue
            found = {
                "files": row["files_written"],
                "bytes": row["files_written_bytes"],
                "read": row["files_read"],
                "here": row["files_read_written_here"],
                "calls": row["ops"].get("read", 0),
            }
            checks.check(found == expected, f"{output['task']} {kind}: {found}, not {expected}")
            if expected["files"]:
                mean = expected["bytes"] / expected["files"]
                checks.check(abs(row["file_size_bytes"] - mean) < 0.01,
                             f"{kind}: {row['file_size_bytes']} bytes a file, not {mean}")
    rest = [key for key in rows if key[0] in tasks]
    checks.check(not rest, f"other types: {rest}")
    print(f"{len(outputs)} tasks, {sum(len(o['types']) for o in outputs)} rows")


def check_torn(checks, report, outputs):
    expected = {(one["file"], one["pid"]): one for one in outputs[0]}
    for row in report["torn"]:
        one = expected.pop((row["file"], row["pid"]), None)
        if not checks.check(one, f"not torn: {row}"):
            continue
        for field in ("class", "cause", "written_bytes"):
            if field not in one:
                continue
            checks.check(row[field] == one[field],
                         f"{row['file']}: {field} is {row[field]}, not {one[field]}")
        checks.check(row["open_s"] <= row["last_write_s"] <= row["end_s"],
                     f"{row['file']}: times out of order: {row}")
    for path, _ in expected:
        checks.check(False, f"not reported as torn: {path}")
    print(f"{len(outputs[0])} torn files, {len(report['torn'])} reported")


def main():
    checks = Checks()
    report = load(sys.argv[2])
    outputs = [load(path) for path in sys.argv[3:]]
    (check_datasets if sys.argv[1] == "datasets" else check_torn)(checks, report, outputs)
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
