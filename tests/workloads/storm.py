#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many short Python processes, some at a time, each with functions of names that no other has.

    storm.py COUNT AT_ONCE PYTHON...

Each burns 0.2 to 1 s of CPU time in a function of its own, below a few of its callers, some after
importing modules with C parts, and exits with a code that is checked. Prints a line of JSON per process.
Runs on CPython 3.8 and later, standard library only.
"""

import importlib
import json
import os
import subprocess
import sys
import time

MODULES = [[], ["json"], ["ctypes"], ["decimal"], ["hashlib", "zlib"]]
CALLERS = 5

SOURCE = """
def storm_leaf_{0}(seconds):
    begin = now = clock()
    value = 1
    while now - begin < seconds:
        for i in range(2000):
            value = (value * 1664525 + i) & 0xffffffff
        now = clock()
    return now - begin

def storm_caller_{0}(level, seconds):
    if level == 0:
        return storm_leaf_{0}(seconds)
    return storm_caller_{0}(level - 1, seconds)
"""


def code_of(number):
    return number * 7 % 256


def run_child(number, seconds):
    for name in MODULES[number % len(MODULES)]:
        importlib.import_module(name)
    scope = {"clock": time.thread_time}
    exec(compile(SOURCE.format(number), "storm_%d.py" % number, "exec"), scope)
    measured = scope["storm_caller_%d" % number](CALLERS, seconds)
    answer = {
        "pid": os.getpid(),
        "number": number,
        "python": "%d.%d" % sys.version_info[:2],
        "executable": os.path.realpath(sys.executable),
        "leaf_s": measured,
        "callers": CALLERS + 1,
    }
    print(json.dumps(answer), flush=True)
    os._exit(code_of(number)) if number % 2 else sys.exit(code_of(number))


def wait_for_one(running):
    pid, status = os.waitpid(-1, 0)
    child, number = running.pop(pid)
    child.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    if child.returncode != code_of(number):
        sys.exit("storm.py: process %d ended with status %d" % (number, status))


def main():
    if sys.argv[1] == "--child":
        run_child(int(sys.argv[2]), float(sys.argv[3]))
    count, at_once, pythons = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    running = {}
    for number in range(count):
        # Spread evenly, and in no step with anything.
        seconds = 0.2 + 0.8 * ((number * 0.6180339887498949) % 1.0)
        python = pythons[number % len(pythons)]
        command = [python, "-B", __file__, "--child", str(number), "%.3f" % seconds]
        child = subprocess.Popen(command)
        running[child.pid] = child, number
        if len(running) >= at_once:
            wait_for_one(running)
    while running:
        wait_for_one(running)
    return 0


if __name__ == "__main__":
    sys.exit(main())
