#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""allocates.py LOOPS: allocations.cc busy, in Python: blocks that are too large for the interpreter's own
arenas, LOOPS of work between them, until SIGUSR1."""

import ctypes
import json
import signal
import sys
import time

FUNCTIONS = ("malloc", "calloc", "realloc", "free")
state = {"ended": False, "asked": False}
sums = {"rounds": 0, "cpu_ns": 0, "loops_ns": 0, "bare_rounds": 0, "bare_cpu_ns": 0, "bare_loops_ns": 0}
library = ctypes.CDLL(None)
code = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in FUNCTIONS]


def look():
    return [ctypes.string_at(address, 16) for address in code]


def some_rounds(count, loops):
    for i in range(count):
        block = bytes(600 + i)
        for _ in range(loops):
            pass
        del block


def say():
    print(json.dumps(sums), flush=True)


def add(prefix, times):
    sums[prefix + "rounds"] += 100
    sums[prefix + "cpu_ns"] += times[1] - times[0]
    sums[prefix + "loops_ns"] += times[2] - times[1]


def main():
    loops = int(sys.argv[1])
    before = look()
    signal.signal(signal.SIGUSR1, lambda *_: state.update(ended=True))
    signal.signal(signal.SIGUSR2, lambda *_: state.update(asked=True))
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 1
    while not state["ended"]:
        bare = look() == before
        times = [time.thread_time_ns()]
        some_rounds(100, loops)
        times.append(time.thread_time_ns())
        for _ in range(25 * loops + 500):
            pass
        times.append(time.thread_time_ns())
        add("", times)
        if bare and look() == before:
            add("bare_", times)
        if state["asked"]:
            state["asked"] = False
            say()
    say()
    deadline = time.monotonic() + 10
    while look() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    clean = look() == before
    print("clean" if clean else "breakpoints are left")
    return 0 if clean else 1


sys.exit(main())
