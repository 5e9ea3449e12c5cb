#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""throughput.py FOLDER --task NAME MEGABYTES: writes so much and reads it back in each of six steps of
half a second, from a whole second on. Prints what it has done."""

import json
import os
import sys
import time

STEPS = 6
MEGABYTE = b"x" * 1000000


def main():
    path = os.path.join(sys.argv[1], sys.argv[3])
    size = int(sys.argv[4])
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    calls = 0
    begin = time.monotonic()
    for step in range(STEPS):
        for number in range(size):
            os.pwrite(descriptor, MEGABYTE, number * len(MEGABYTE))
            os.pread(descriptor, len(MEGABYTE) // 2, number * len(MEGABYTE))
            calls += 2
        time.sleep(max(0, begin + (step + 1) * 0.5 - time.monotonic()))
    print(json.dumps({"task": sys.argv[3], "write_bytes": size * STEPS * len(MEGABYTE),
                      "read_bytes": size * STEPS * len(MEGABYTE) // 2, "calls": calls}))


if __name__ == "__main__":
    main()
