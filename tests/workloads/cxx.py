#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Python and C++ under each other: leaves that know their share and their whole chain; see mixed.py.

--extension PATH   cxx_ext or cxx_pybind, built for this Python: decides which leaves there are
--set waits        leaves of cxx_ext that sleep, read and wait for a lock; shares are of waiting time
--wait             says "ready", begins at a line on stdin, and ends at the end of stdin

Prints one line of JSON. Runs on CPython 3.8 and later, standard library only.
"""

import argparse
import functools
import importlib.util
import json
import os
import sys
import time

import chains
from chains import Case

MASK = 0xFFFFFFFF
LOOPS = 8000
DEPTH = 10

ext = None
leaves = chains.Leaves()


def descend(level, function):
    if level == 0:
        return function()
    return descend(level - 1, function)


# --- of cxx_ext


def run_template():
    ext.template()


def run_virtual():
    ext.virtual()


def run_function():
    ext.function()


def run_catch():
    ext.catch_()


def run_clean():
    ext.clean()


def less_leaf(one, other):
    begin = leaves.enter("less_leaf")
    value = one
    for i in range(LOOPS):
        value = (value * 13 + i) & MASK
    leaves.leave("less_leaf", begin)
    return one < other


NUMBERS = [3, 1, 4, 2, 5]


def run_sort():
    ext.sort(NUMBERS, less_leaf)


def called_leaf():
    begin = leaves.enter("called_leaf")
    value = 3
    for i in range(LOOPS):
        value = (value * 5 + i) & MASK
    leaves.leave("called_leaf", begin)


def second_level():
    ext.call(called_leaf)


def first_level():
    descend(2, second_level)


def run_levels():
    """C++, Python, C++, Python."""
    ext.call(first_level)


def run_thread():
    leaves.enter("run_thread")  # this thread only waits
    ext.thread()


def in_thread():
    for _ in range(8):
        descend(3, ext.thread_burn)


def run_python_thread():
    leaves.enter("run_python_thread")
    ext.python_thread(in_thread)


def run_sleep():
    ext.sleep()


def sleep_below():
    ext.call(run_sleep)


def run_read():
    ext.read()


def read_below():
    ext.call(run_read)


def run_wait():
    ext.wait()


def wait_below():
    ext.call(run_wait)


# --- of cxx_pybind


def run_bound():
    ext.Exposure().integrate()


def transform_leaf(number):
    begin = leaves.enter("transform_leaf")
    value = number
    for i in range(LOOPS):
        value = (value * 7 + i) & MASK
    leaves.leave("transform_leaf", begin)
    return value


def run_transform():
    ext.Exposure().transform(transform_leaf)


def error_leaf():
    begin = leaves.enter("error_leaf")
    value = 1
    for i in range(LOOPS):
        value = (value * 11 + i) & MASK
    leaves.leave("error_leaf", begin)
    return value


def fail_first(number):
    if number == 1:
        leaves.enter("fail_first")  # no work here
        raise KeyError("for C++ to catch")
    return error_leaf()


def run_error():
    ext.Exposure().transform(fail_first)


CASES = {
    "cxx_ext": [
        (run_template, "template_leaf"),
        (run_virtual, "virtual_leaf"),
        (run_function, "function_leaf"),
        (run_catch, "catch_leaf"),
        (run_clean, "destructor_leaf"),
        (run_sort, "less_leaf"),
        (run_levels, "called_leaf"),
        (run_thread, "thread_native_leaf"),
        (run_python_thread, "thread_leaf"),
    ],
    "cxx_pybind": [
        (run_bound, "bound_leaf"),
        (run_transform, "transform_leaf"),
        (run_error, "error_leaf"),
    ],
    "waits": [(sleep_below, "sleep_leaf"), (read_below, "read_leaf"), (wait_below, "wait_leaf")],
}
THROUGH = [("run_sort", "less_leaf"), ("run_transform", "transform_leaf")]


def load_extension(path):
    name = os.path.basename(path).split(".")[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tick(case):
    """The extension notes where it is only in the first call of each case."""
    ext.note(not case.noted)
    case.noted = True


def main():
    global ext
    parser = argparse.ArgumentParser(description="burn CPU or wait in known stacks of Python and C++")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--extension", required=True)
    parser.add_argument("--set", choices=("cpu", "waits"), default="cpu")
    parser.add_argument("--wait", action="store_true")
    options = parser.parse_args()

    ext = load_extension(options.extension)
    leaves.shadow = ext.shadow
    ext.hooks(chains.python_depth, leaves.describe_native)
    chosen = CASES["waits" if options.set == "waits" else ext.__name__]
    cases = [Case(functools.partial(descend, DEPTH, call), leaf) for call, leaf in chosen]
    if options.wait:
        print("ready", flush=True)
        if not sys.stdin.readline():
            return 1
    now = time.process_time_ns if options.set == "cpu" else time.perf_counter_ns
    seconds = chains.run_bursts(cases, options.seconds, tick, now)
    for name, ns, calls, shadow in ext.measured():
        if calls:
            leaves.add_native(name, ns, calls, shadow or None)
    answer = chains.result(
        options.extension,
        {"run_s": seconds, "helpers": ["tick"], "through": THROUGH, "direct": []},
    )
    print(json.dumps(answer), flush=True)
    if options.wait:
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
