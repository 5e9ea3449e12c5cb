#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""python_allocators.py ROUNDS: waits for breakpoints in CPython's allocators, then calls each of them ROUNDS
times by its symbol, as extensions do; says how many bytes it asked each for; waits until they are gone."""

import ctypes
import json
import sys
import time

SIZE = 3000
FAMILIES = ("PyMem_Raw", "PyMem_", "PyObject_")


def function(name, result, *arguments):
    # Without the GIL it would be let go and taken for each call.
    found = ctypes.pythonapi[name]
    found.restype = result
    found.argtypes = arguments
    return found


def first_bytes(functions):
    return [ctypes.string_at(ctypes.cast(one, ctypes.c_void_p).value, 1) for one in functions]


def wait_until(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def main():
    rounds = int(sys.argv[1])
    gives = {name: function(name + "Malloc", ctypes.c_void_p, ctypes.c_size_t) for name in FAMILIES}
    takes = {name: function(name + "Free", None, ctypes.c_void_p) for name in FAMILIES}
    functions = [*gives.values(), *takes.values()]
    before = first_bytes(functions)
    print("ready", flush=True)
    if not wait_until(lambda: all(a != b for a, b in zip(first_bytes(functions), before)), 30):
        print("no breakpoints")
        return 1
    time.sleep(0.5)  # the others follow
    for name in FAMILIES:
        for _ in range(rounds):
            takes[name](gives[name](SIZE))
    print(json.dumps({name + "Malloc": [rounds, rounds * SIZE] for name in FAMILIES}), flush=True)
    clean = wait_until(lambda: first_bytes(functions) == before, 20)
    print("clean" if clean else "breakpoints are left")
    return 0 if clean else 1


sys.exit(main())
