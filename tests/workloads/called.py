#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls Python functions as often as it prints, from Python and from C; after a line of input."""

import json
import sys
import time


def from_python(value):
    return value + 1


def from_c(value):
    return -value


class Thing:
    def from_map(self, value):
        return value


def nested(depth):
    return nested(depth - 1) + 1 if depth else 0


def generates(count):
    """Each resumption is a call."""
    yield from (1,) * count


def burn():
    end = time.process_time() + 0.004
    while time.process_time() < end:
        pass


def half_from_c():
    """Half of the calls come from C, as does half of the time."""
    burn()


def never_from_c():
    burn()


def always_from_c(_):
    burn()


def main():
    print("ready", flush=True)
    sys.stdin.readline()
    total = sum(from_python(i) for i in range(3000))
    total += sum(sorted(range(2000), key=from_c))
    total += sum(map(Thing().from_map, range(700)))
    for _ in range(20):
        total += nested(9)
    for _ in range(50):
        total += sum(generates(7))
    for _ in range(60):
        half_from_c()
        half_from_c.__call__()
        never_from_c()
        list(map(always_from_c, (0,)))
    calls = {"from_python": 3000, "from_c": 2000, "from_map": 700, "nested": 200, "generates": 400,
             "half_from_c": 120, "never_from_c": 60, "always_from_c": 60}
    outer = {"nested": 20}  # not inside of itself
    shares = {"half_from_c": 0.5, "never_from_c": 1, "always_from_c": 0}  # of time, begun inside the loop
    print(json.dumps({"calls": calls, "outer": outer, "shares": shares, "total": total,
                      "inlines": sys.version_info >= (3, 11)}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
