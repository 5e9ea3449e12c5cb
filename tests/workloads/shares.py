#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Burns CPU in named functions and prints, as JSON, how much each of them took.

Each function runs in bursts; every call is measured by the clock of the thread's own CPU time. The
next burst goes to the function that lags most behind its wanted share, so the shares of any stretch
of the run are near the wanted ones, but the printed ones are those measured.

--set python   six functions whose work is Python code (one sorts by a C builtin, holding the GIL)
--set native   functions whose work is native code that releases the GIL

Runs on CPython 3.8 and later, standard library only (numpy is used by --set native if it is there).
"""

import argparse
import hashlib
import json
import os
import sys
import threading
import time
import zlib

try:
    import numpy
except ImportError:
    numpy = None

MASK = 0xFFFFFFFF


def shallow_loop():
    """A plain loop: the function is its own leaf."""
    value = 1
    for i in range(40000):
        value = (value * 1664525 + i) & MASK
    return value


def deep_leaf():
    """Under 60 frames of deep_descend."""
    value = 7
    for i in range(40000):
        value = (value ^ (value << 5) ^ i) & MASK
    return value


def deep_descend(level):
    if level == 0:
        return deep_leaf()
    return deep_descend(level - 1)


def recursive_count(depth):
    """A binary tree of calls: the function is many times on the stack, and must count once."""
    if depth == 0:
        return 1
    return recursive_count(depth - 1) + recursive_count(depth - 1)


def pixel_stream(count):
    value = 3
    for i in range(count):
        value = (value * 69069 + i) & MASK
        yield value


def consume_generator():
    total = 0
    for value in pixel_stream(30000):
        total ^= value
    return total


class Image:
    """Its method is the fifth function."""

    def __init__(self, width, height):
        self.width = width
        self.pixels = [float((i * 37) % 101) for i in range(width * height)]

    def smooth(self):
        pixels = self.pixels
        width = self.width
        result = 0.0
        for i in range(width, len(pixels) - width):
            result += 0.5 * pixels[i] + 0.125 * (
                pixels[i - 1] + pixels[i + 1] + pixels[i - width] + pixels[i + width]
            )
        return result


IMAGE = Image(128, 128)
UNSORTED = [(i * 7919) % 100003 for i in range(60000)]


def call_builtin():
    return sorted(UNSORTED)


def hash_released():
    return hashlib.pbkdf2_hmac("sha256", b"pipescope", b"salt", 8000)


# 64 KiB that do not repeat within the window of zlib, 16 times.
BUFFER = bytes((i * i * 31 + (i >> 5)) & 0xFF for i in range(1 << 16)) * 16


def compress_released():
    return zlib.compress(BUFFER, 6)


MATRIX = numpy.full((400, 400), 0.5) if numpy is not None else None


def multiply_released():
    return MATRIX @ MATRIX


def descend_60():
    return deep_descend(60)


def count_13():
    return recursive_count(13)


class Case:
    """call: what a burst repeats. marker: the function whose inclusive share is measured.
    leaves: the functions that may be the innermost Python frame. builtin: all the work is native,
    called from the marker's only line of code."""

    def __init__(self, weight, call, marker, leaves, builtin=False):
        self.weight = weight
        self.call = call
        self.marker = marker
        self.leaves = leaves
        self.builtin = builtin
        self.cpu_ns = 0
        self.calls = 0


def make_cases(name):
    if name == "python":
        return [
            Case(26, shallow_loop, shallow_loop, [shallow_loop]),
            Case(21, descend_60, deep_leaf, [deep_leaf]),
            Case(18, count_13, recursive_count, [recursive_count]),
            Case(15, consume_generator, consume_generator, [consume_generator, pixel_stream]),
            Case(12, IMAGE.smooth, Image.smooth, [Image.smooth]),
            Case(8, call_builtin, call_builtin, [call_builtin], True),
        ]
    cases = [
        Case(50, hash_released, hash_released, [hash_released], True),
        Case(30, compress_released, compress_released, [compress_released], True),
    ]
    if numpy is not None:
        cases.append(Case(20, multiply_released, multiply_released, [multiply_released], True))
    return cases


def run_bursts(cases, seconds, passes):
    """Until the thread has used so many seconds of CPU, or made so many passes over all cases."""
    clock = time.thread_time_ns
    begin = clock()
    burst = 0
    while True:
        if passes:
            if burst == passes * len(cases):
                break
            case = cases[burst % len(cases)]
            length = None
        else:
            if clock() - begin >= seconds * 1e9:
                break
            case = min(cases, key=lambda c: c.cpu_ns / c.weight)
            # Lengths between 40 and 120 ms that never fall into step with a sampling clock.
            length = 40e6 + 80e6 * ((burst * 0.6180339887498949) % 1.0)
        call = case.call
        start = now = clock()
        if length is None:
            for _ in range(10):
                call()
                case.calls += 1
            now = clock()
        else:
            while now - start < length:
                call()
                case.calls += 1
                now = clock()
        case.cpu_ns += now - start
        burst += 1


def describe(function, case_of_thread, total_ns, builtin, leaves):
    code = function.__code__
    return {
        "name": name_of(function),
        "file": code.co_filename,
        "first_line": code.co_firstlineno,
        "last_line": last_line(code),
        "leaves": [name_of(leaf) for leaf in leaves],
        "builtin": builtin,
        "cpu_s": sum(case.cpu_ns for case in case_of_thread) / 1e9,
        "calls": sum(case.calls for case in case_of_thread),
        "share": sum(case.cpu_ns for case in case_of_thread) / total_ns,
    }


def name_of(function):
    """As a reader of code objects sees it: qualified names are there since 3.11."""
    code = function.__code__
    return getattr(code, "co_qualname", code.co_name)


def last_line(code):
    if hasattr(code, "co_lines"):
        return max(line for _, _, line in code.co_lines() if line is not None)
    line = code.co_firstlineno
    last = line
    for delta in code.co_lnotab[1::2]:
        line += delta - 256 if delta > 127 else delta
        last = max(last, line)
    return last


def main():
    parser = argparse.ArgumentParser(description="burn CPU in known shares")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds per thread")
    parser.add_argument("--passes", type=int, default=0, help="a fixed amount of work instead")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", choices=("python", "native"), default="python")
    parser.add_argument("--wait", action="store_true", help="say 'ready', begin at a line on stdin")
    options = parser.parse_args()

    if options.wait:
        print("ready", flush=True)
        if not sys.stdin.readline():
            return
    before_ns = time.process_time_ns()
    per_thread = [make_cases(options.set) for _ in range(options.threads)]
    others = [
        threading.Thread(target=run_bursts, args=(cases, options.seconds, options.passes))
        for cases in per_thread[1:]
    ]
    for thread in others:
        thread.start()
    run_bursts(per_thread[0], options.seconds, options.passes)
    for thread in others:
        thread.join()

    total_ns = sum(case.cpu_ns for cases in per_thread for case in cases)
    result = {
        "pid": os.getpid(),
        "python": "%d.%d" % sys.version_info[:2],
        "executable": sys.executable,
        "cpu_s": total_ns / 1e9,
        "run_cpu_s": (time.process_time_ns() - before_ns) / 1e9,
        "process_cpu_s": time.process_time(),
        "functions": [
            describe(same[0].marker, same, total_ns, same[0].builtin, same[0].leaves)
            for same in zip(*per_thread)
        ],
    }
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
