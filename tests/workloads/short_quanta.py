#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""short_quanta.py QUANTA SECONDS: so many quanta of so long, one after the other."""

import resource
import sys
import time


def run_job(job_id, name, seconds):
    end = time.monotonic() + seconds
    resource.getrusage(resource.RUSAGE_SELF)
    while time.monotonic() < end:
        pass
    resource.getrusage(resource.RUSAGE_SELF)


def main():
    time.sleep(0.3)
    for number in range(int(sys.argv[1])):
        run_job(f"job-{number}", "short", float(sys.argv[2]))
        time.sleep(0.001)


main()
