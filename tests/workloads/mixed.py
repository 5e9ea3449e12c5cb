#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Python under C under Python: burns CPU in leaves that know their share and their whole chain.

--extension PATH   mixed_ext, built for this Python; without it there are no C leaves, only callbacks
                   from the interpreter, from C modules of the standard library and through ctypes
--cases LIST       only these leaves
--wait             says "ready", begins at a line on stdin, and ends at the end of stdin

Prints one line of JSON. "direct": pairs (caller, callee) of Python functions with nothing native
between them (3.11 and later call them in the same loop); "through": pairs with native frames between them.

Runs on CPython 3.8 and later, standard library only (numpy is used if it is there).
"""

import argparse
import ctypes
import functools
import importlib.util
import json
import sys

import chains
from chains import Case

try:
    import numpy
except ImportError:
    numpy = None

MASK = 0xFFFFFFFF
DEPTH = 40
LOOPS = 8000

ext = None
leaves = chains.Leaves()


def descend(level, function):
    if level == 0:
        return function()
    return descend(level - 1, function)


# --- Python leaves


def python_leaf():
    begin = leaves.enter("python_leaf")
    value = 1
    for i in range(LOOPS):
        value = (value * 1664525 + i) & MASK
    leaves.leave("python_leaf", begin)


def key_leaf(item):
    begin = leaves.enter("key_leaf")
    value = item
    for i in range(LOOPS):
        value = (value ^ (value << 3) ^ i) & MASK
    leaves.leave("key_leaf", begin)
    return value


def sort_by_key():
    return sorted(range(10), key=key_leaf)


def generator_leaf(count):
    for number in range(count):
        begin = leaves.enter("generator_leaf")
        value = number
        for i in range(LOOPS):
            value = (value * 69069 + i) & MASK
        leaves.leave("generator_leaf", begin)
        yield value


def consume_generator():
    total = 0
    for value in generator_leaf(5):
        total ^= value
    return total


def expression_leaf(item):
    begin = leaves.enter("expression_leaf")
    value = item
    for i in range(LOOPS):
        value = (value + i * 3) & MASK
    leaves.leave("expression_leaf", begin)
    return value


def sum_expression():
    return sum(expression_leaf(item) for item in range(5))


def comprehension_leaf(item):
    begin = leaves.enter("comprehension_leaf")
    value = item
    for i in range(LOOPS):
        value = (value | i) ^ (i << 2)
    leaves.leave("comprehension_leaf", begin)
    return value


def make_list():
    return [comprehension_leaf(item) for item in range(5)]


def reduce_leaf(one, other):
    begin = leaves.enter("reduce_leaf")
    value = one + other
    for i in range(LOOPS):
        value = (value * 5 + i) & MASK
    leaves.leave("reduce_leaf", begin)
    return value


def reduce_list():
    return functools.reduce(reduce_leaf, range(6))


def map_leaf(item):
    begin = leaves.enter("map_leaf")
    value = item
    for i in range(LOOPS):
        value = (value - i) & MASK
    leaves.leave("map_leaf", begin)
    return value


def sum_map():
    return sum(map(map_leaf, range(5)))


class Pixel:
    """Slots that the interpreter fills with C functions which call Python."""

    def __getattr__(self, name):
        begin = leaves.enter("slot_leaf")
        value = 1
        for i in range(LOOPS):
            value = (value * 3 + i) & MASK
        leaves.leave("slot_leaf", begin)
        return value


def read_attribute():
    return Pixel().flux


class Section:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        begin = leaves.enter("exit_leaf")
        value = 2
        for i in range(LOOPS):
            value = (value * 7 + i) & MASK
        leaves.leave("exit_leaf", begin)
        return True


def raise_in_section():
    with Section():
        raise ValueError("caught by the section")


# --- through ctypes: libc's qsort() calls a closure of libffi


COMPARE = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
)
LIBC = ctypes.CDLL(None)
NUMBERS = (ctypes.c_int * 5)


def ctypes_leaf(one, other):
    begin = leaves.enter("ctypes_leaf")
    value = one[0]
    for i in range(LOOPS):
        value = (value * 11 + i) & MASK
    leaves.leave("ctypes_leaf", begin)
    return one[0] - other[0]


CALLBACK = COMPARE(ctypes_leaf)
# Now: the first look at LIBC.qsort calls Python code of ctypes.
QSORT = LIBC.qsort


def sort_by_libc():
    numbers = NUMBERS(3, 1, 4, 2, 5)
    QSORT(numbers, 5, ctypes.sizeof(ctypes.c_int), CALLBACK)


# --- through the extension


def compare_leaf(one, other):
    begin = leaves.enter("compare_leaf")
    value = one
    for i in range(LOOPS):
        value = (value * 13 + i) & MASK
    leaves.leave("compare_leaf", begin)
    return one - other


SHUFFLED = [(i * 7) % 11 for i in range(11)]


def sort_in_c():
    ext.sort(SHUFFLED, compare_leaf)


def innermost_python():
    ext.burn_deep()


def second_level():
    ext.descend(innermost_python)


def first_level():
    return descend(3, second_level)


def levels_of_c():
    """C, Python, C, Python, C."""
    ext.descend(first_level)


def burn_dynamic():
    ext.burn_dynamic()


def returned_leaf():
    """Python again below two levels of C."""
    begin = leaves.enter("returned_leaf")
    value = 5
    for i in range(LOOPS):
        value = (value * 17 + i) & MASK
    leaves.leave("returned_leaf", begin)


def returned_level():
    ext.descend(returned_leaf)


def levels_of_python():
    ext.descend(returned_level)


# --- numpy


def numpy_leaf():
    begin = leaves.enter("numpy_leaf")
    RANDOM.copy().sort()  # numpy.sort() is Python
    leaves.leave("numpy_leaf", begin)


def element_leaf(item):
    begin = leaves.enter("element_leaf")
    value = int(item)
    for i in range(LOOPS):
        value = (value * 19 + i) & MASK
    leaves.leave("element_leaf", begin)
    return value


def call_elements():
    numpy.frompyfunc(element_leaf, 1, 1)(RANDOM[:5])


RANDOM = None
if numpy is not None:
    RANDOM = (numpy.arange(30000) * 7919) % 30011


def make_cases():
    cases = [
        (python_leaf, "python_leaf"),
        (sort_by_key, "key_leaf"),
        (consume_generator, "generator_leaf"),
        (sum_expression, "expression_leaf"),
        (make_list, "comprehension_leaf"),
        (reduce_list, "reduce_leaf"),
        (sum_map, "map_leaf"),
        (read_attribute, "slot_leaf"),
        (raise_in_section, "exit_leaf"),
        (sort_by_libc, "ctypes_leaf"),
    ]
    if ext:
        cases += [
            (sort_in_c, "compare_leaf"),
            (levels_of_c, "c_leaf_deep"),
            (burn_dynamic, "c_leaf_dynamic"),
            (levels_of_python, "returned_leaf"),
        ]
    if numpy is not None:
        cases += [(numpy_leaf, "numpy_leaf"), (call_elements, "element_leaf")]
    return [Case(functools.partial(descend, DEPTH, call), leaf) for call, leaf in cases]


THROUGH = [
    ("sort_by_key", "key_leaf"),
    ("sum_expression", "sum_expression.<locals>.<genexpr>"),
    ("reduce_list", "reduce_leaf"),
    ("sum_map", "map_leaf"),
    ("read_attribute", "Pixel.__getattr__"),
    ("sort_by_libc", "ctypes_leaf"),
    ("sort_in_c", "compare_leaf"),
    ("call_elements", "element_leaf"),
]
DIRECT = [("descend", "descend"), ("descend", "python_leaf"), ("make_list", "comprehension_leaf")]


def load_extension(path):
    spec = importlib.util.spec_from_file_location("mixed_ext", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tick(case):
    """The extension notes where it is only in the first call of each case."""
    if ext:
        ext.note(not case.noted)
    case.noted = True


def main():
    global ext
    parser = argparse.ArgumentParser(description="burn CPU in known mixed stacks")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds")
    parser.add_argument("--extension")
    parser.add_argument("--cases", help="leaves, with commas between them")
    parser.add_argument("--wait", action="store_true")
    options = parser.parse_args()

    if options.extension:
        ext = load_extension(options.extension)
        leaves.shadow = ext.shadow
        ext.hooks(chains.python_depth, leaves.describe_native)
    cases = make_cases()
    if options.cases:
        wanted = options.cases.split(",")
        cases = [case for case in cases if case.leaf in wanted]
    if options.wait:
        print("ready", flush=True)
        if not sys.stdin.readline():
            return 1
    seconds = chains.run_bursts(cases, options.seconds, tick)
    if ext:
        for name, ns, calls in ext.measured():
            if calls:
                leaves.add_native(name, ns, calls)
    answer = chains.result(
        options.extension,
        {
            "run_s": seconds,
            "helpers": ["tick"],
            "through": THROUGH if sys.version_info >= (3, 11) else THROUGH + DIRECT[:2],
            "direct": DIRECT if sys.version_info >= (3, 11) else [],
        },
    )
    print(json.dumps(answer), flush=True)
    if options.wait:
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
