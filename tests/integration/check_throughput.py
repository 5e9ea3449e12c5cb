#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_throughput.py REPORT.json REPORT.csv MOUNT OUTPUT...: rows by mount, task and time against what
throughput.py printed."""

import csv
import json
import sys

from recording import Checks


def main():
    checks = Checks()
    with open(sys.argv[1], encoding="utf-8") as stream:
        rows = json.load(stream)["rows"]
    with open(sys.argv[2], encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    checks.check(len(lines) == len(rows), f"{len(lines)} lines of CSV, {len(rows)} rows of JSON")
    for path in sys.argv[4:]:
        with open(path, encoding="utf-8") as stream:
            expected = json.load(stream)
        own = [row for row in rows
               if row["task"] == expected["task"] and row["mount"] == sys.argv[3]]
        times = [row["time"] for row in own]
        checks.check(times == sorted(times), f"{expected['task']}: not in the order of time")
        checks.check(3 <= len(own) <= 6, f"{expected['task']}: {len(own)} steps for 3 seconds")
        for field in ("write_bytes", "read_bytes"):
            total = sum(row[field] for row in own)
            # Python's own reads of its modules are on other mounts.
            checks.check(total == expected[field],
                         f"{expected['task']}: {field} {total}, not {expected[field]}")
        for row in own:
            seconds = row["time_end"] - row["time"]
            for rate, value in (("read_bytes_per_s", row["read_bytes"]),
                                ("write_bytes_per_s", row["write_bytes"]),
                                ("ops_per_s", row["op_count"])):
                checks.check(abs(row[rate] * seconds - value) <= max(1, value * 1e-6),
                             f"{rate} is {row[rate]}, not {value} in {seconds} s")
            checks.check(abs(row["latency_s"] * row["op_count"] - row["io_s"]) < 1e-6,
                         f"latency {row['latency_s']} of {row['op_count']} in {row['io_s']} s")
        print(f"{expected['task']}: {len(own)} steps")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
