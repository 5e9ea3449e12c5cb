#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that are compiled, run for some milliseconds and are dropped, so that the memory of a
code object is soon another one's: as with the bodies of modules during imports.

    short_code.py SECONDS MILLISECONDS [collect]

With "collect" each is freed before the next is made: then they have not only the same address, but all
that they refer to has, too.

The function caller_N calls callee_N, with the same N: a stack in which the numbers differ has a
wrong name. Prints as JSON how many there were."""

import gc
import json
import os
import sys
import time

SOURCE = """
def callee_{0}(end, clock):
    value = 1
    while clock() < end:
        for i in range(300):
            value = (value * 69069 + i) & 0xFFFFFFFF
    return value

def caller_{0}(end, clock):
    return callee_{0}(end, clock)

caller_{0}(end, clock)
"""


def run_generated(number, milliseconds):
    code = compile(SOURCE.format(number), "<generated %d>" % number, "exec")
    end = time.thread_time_ns() + milliseconds * 1_000_000
    exec(code, {"end": end, "clock": time.thread_time_ns})


def main():
    seconds, milliseconds = float(sys.argv[1]), int(sys.argv[2])
    collect = sys.argv[3:] == ["collect"]
    number = 0
    while time.thread_time() < seconds:
        # Numbers of the same length: names, and so memory, of the same size.
        number += 1
        run_generated(100000 + number, milliseconds)
        if collect:
            gc.collect(0)
    json.dump(
        {
            "pid": os.getpid(),
            "python": "%d.%d" % sys.version_info[:2],
            "milliseconds": milliseconds,
            "collect": collect,
            "functions": number,
        },
        sys.stdout,
    )
    print()


if __name__ == "__main__":
    main()
