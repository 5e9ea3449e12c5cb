#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""keeps.py [SCALE]: memory in large and in small pieces, kept and dropped, for comparing profilers.

Waits for a line of input when KEEPS_WAITS is set, and prints a JSON object: CPU seconds of the work,
and by function the bytes that are live when there is most."""

import json
import os
import sys
import time

MIB = 1 << 20


def large_kept(count):
    return [bytearray(4 * MIB) for _ in range(count)]


def large_dropped(count):
    """Their contents come and go; at most one is there."""
    total = 0
    for _ in range(count):
        total += len(bytearray(3 * MIB))
    return total


def small_kept(count):
    return ["%0400d" % i for i in range(count)]


def small_dropped(count):
    total = 0
    for i in range(count):
        total += len({"visit": i, "detector": i % 189, "name": "%d" % i})
    return total


def main():
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    print("ready", flush=True)
    if os.environ.get("KEEPS_WAITS"):
        sys.stdin.readline()
    begin = time.process_time()
    small = small_kept(int(100000 * scale))
    small_dropped(int(500000 * scale))
    large_dropped(int(200 * scale))
    large = large_kept(int(10 * scale))
    used = time.process_time() - begin
    peak = {
        "large_kept": sum(map(sys.getsizeof, large)),
        "small_kept": sum(map(sys.getsizeof, small)) + sys.getsizeof(small),
    }
    print(json.dumps({"cpu_s": used, "pid": os.getpid(), "peak": peak}), flush=True)


if __name__ == "__main__":
    main()
