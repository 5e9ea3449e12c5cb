# SPDX-License-Identifier: GPL-2.0-or-later
"""What workloads of mixed stacks share: leaves that measure themselves, and chains that the program
finds out about itself.

A chain is the stack of a leaf, outermost first: its Python frames are those that sys._getframe()
sees, and the functions of the C or C++ extension lie between them where the extension itself entered
them: it notes each under the number of Python frames that were there (see shadow.h). A chain is taken
at the leaf's first call.
"""

import os
import sys
import threading
import time

DRIVERS = ("run_bursts", "call_case")  # all else in this file is a leaf's own account keeping


class Leaf:
    def __init__(self):
        self.ns = 0
        self.calls = 0
        self.chain = None


LEAVES = {}
LOCK = threading.Lock()
clock = time.thread_time_ns


def name_of(code):
    """As a reader of code objects sees it: qualified names are there since 3.11."""
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


def python_depth():
    """Called by the extension: how many Python frames there are, without this one."""
    frame = sys._getframe().f_back
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def python_part(frame):
    frames = []
    while frame is not None:
        code = frame.f_code
        frames.append(
            {
                "kind": "python",
                "name": name_of(code),
                "file": code.co_filename,
                "line": frame.f_lineno,
                "first_line": code.co_firstlineno,
                "last_line": last_line(code),
            }
        )
        frame = frame.f_back
    return frames[::-1]


def merge(python, shadow):
    """shadow: (name, number of Python frames below it) of the extension's functions, outermost first."""
    chain = []
    for depth in range(len(python) + 1):
        chain += [{"kind": "native", "name": name} for name, below in shadow if below == depth]
        chain += python[depth : depth + 1]
    return chain


def describe(name, frame, shadow):
    leaf = LEAVES.setdefault(name, Leaf())
    if leaf.chain is None:
        leaf.chain = merge(python_part(frame), shadow)


def no_shadow():
    return []


class Leaves:
    """What a program of leaves does; shadow: returns what the extension notes of this thread."""

    def __init__(self, shadow=no_shadow):
        self.shadow = shadow

    def enter(self, name):
        """First in a Python leaf."""
        if name not in LEAVES:
            with LOCK:
                describe(name, sys._getframe(1), self.shadow())
        return clock()

    def leave(self, name, begin):
        """Last in it."""
        ns = clock() - begin
        with LOCK:
            leaf = LEAVES[name]
            leaf.ns += ns
            leaf.calls += 1

    def describe_native(self, name):
        """Called by the extension from its leaf, which is in the shadow itself."""
        with LOCK:
            frame = sys._getframe().f_back
            describe(name, frame, self.shadow())

    @staticmethod
    def add_native(name, ns, calls, chain=None):
        """What the extension measured itself, of a leaf that may be described by now or has no Python."""
        leaf = LEAVES.setdefault(name, Leaf())
        leaf.ns += ns
        leaf.calls += calls
        if leaf.chain is None and chain is not None:
            leaf.chain = merge([], chain)


class Case:
    """call: what a burst repeats; leaf: the leaf that it ends in; noted: whether its stack is."""

    def __init__(self, call, leaf, weight=1):
        self.call = call
        self.leaf = leaf
        self.weight = weight
        self.ns = 0
        self.noted = False


def call_case(case):
    case.call()


def run_bursts(cases, seconds, tick, total=time.process_time_ns):
    """Until so many seconds of the process's CPU time; returns them. tick(case): before each call."""
    begin = now = total()
    burst = 0
    while now - begin < seconds * 1e9:
        case = min(cases, key=lambda c: c.ns / c.weight)
        # Lengths that never fall into step with a sampling clock.
        length = 80e6 * (0.5 + (burst * 0.6180339887498949) % 1.0)
        start = now = total()
        while now - start < length:
            tick(case)
            call_case(case)
            now = total()
        case.ns += now - start
        burst += 1
    return (now - begin) / 1e9


def result(module, extra):
    all_ns = sum(leaf.ns for leaf in LEAVES.values())
    answer = {
        "pid": os.getpid(),
        "python": "%d.%d" % sys.version_info[:2],
        "executable": os.path.realpath(sys.executable),
        "module": module,
        "chains": __file__,
        "drivers": DRIVERS,
        "leaves_s": all_ns / 1e9,
        "leaves": [
            {
                "name": name,
                "seconds": leaf.ns / 1e9,
                "share": leaf.ns / all_ns,
                "calls": leaf.calls,
                "chain": leaf.chain,
            }
            for name, leaf in LEAVES.items()
        ],
    }
    answer.update(extra)
    return answer
