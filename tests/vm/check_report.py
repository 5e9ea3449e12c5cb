# SPDX-License-Identifier: GPL-2.0-or-later
"""check_report.py FILE: does the report by function (JSON) of a guest that ran spin.py say so?

Prints one line; exit status 1 when a figure is wrong. Five seconds of one process that never
sleeps, at any sampling rate above 20 Hz.
"""

import json
import sys

MIN_SAMPLES = 100
MIN_SHARE = 0.95


def find(report, function):
    rows = [row for row in report["rows"] if row["function"] == function]
    if len(rows) != 1:
        sys.exit(f"{len(rows)} rows name {function}, instead of one")
    return rows[0]


def main(path):
    with open(path, encoding="utf-8") as file:
        try:
            report = json.load(file)
        except ValueError as error:
            sys.exit(f"the report is no JSON: {error}")
    inner = find(report, "guest_inner_loop")
    outer = find(report, "guest_outer_loop")
    own, inside, below = inner["samples"], inner["total"]["samples"], outer["total"]["samples"]
    named = report["quality"]["python_named_share"] or 0
    if own < MIN_SAMPLES:
        sys.exit(f"only {own} samples in guest_inner_loop")
    if not MIN_SHARE * below <= inside <= below:
        sys.exit(f"{inside} samples in and below guest_inner_loop, {below} with its caller")
    if named < MIN_SHARE:
        sys.exit(f"only {named:.0%} of the Python stacks are complete and named")
    print(f"{inside} of {below} samples in guest_inner_loop, {named:.0%} of stacks named")


if __name__ == "__main__":
    main(sys.argv[1])
