#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_hotplug.py: of tests/vm/guest/hotplug.sh's seconds on standard input (CSV): while both CPUs are there, all
their time is sampled, before one of them was away and after it.

Emulated CPUs that wait for a real one are sampled less often than a clock says, and their time goes on: so samples are
compared with CPU time, and medians with each other. A CPU without its event halves them."""

import csv
import statistics
import sys

RECORDED_S = 18  # from then on the recorder is ending, with the CPUs for itself


def main():
    text = sys.stdin.read().split("MARK", 1)[-1].replace("\r", "").strip()
    seconds = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(text.splitlines())]
    seconds.sort(key=lambda second: second["time"])
    rates = {"before": [], "away": [], "after": []}
    for second in seconds:
        elapsed = second["time_end"] - second["time"]
        if elapsed < 0.7 or second["time_end"] > RECORDED_S:
            continue
        cpus = second["cpu_s"] / elapsed
        if cpus < 1.3 and rates["before"]:
            rates["away"].append(second["samples"] / second["cpu_s"])
        elif cpus > 1.7:
            rates["after" if rates["away"] else "before"].append(second["samples"] / second["cpu_s"])
    print(", ".join(f"{when}: {statistics.median(found):.0f} samples per CPU second in {len(found)} s" if found else
                    f"{when}: no second" for when, found in rates.items()))
    if not all(rates.values()):
        return 1
    return statistics.median(rates["after"]) < 0.75 * statistics.median(rates["before"])


sys.exit(main())
