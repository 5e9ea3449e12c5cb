#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls Python functions as often as it prints, from Python and from C; after a line of input."""

import json
import sys


def from_python(value):
    return value + 1


def from_c(value):
    return -value


class Thing:
    def from_map(self, value):
        return value


def nested(depth):
    return nested(depth - 1) + 1 if depth else 0


def main():
    print("ready", flush=True)
    sys.stdin.readline()
    total = sum(from_python(i) for i in range(3000))
    total += sum(sorted(range(2000), key=from_c))
    total += sum(map(Thing().from_map, range(700)))
    for _ in range(20):
        total += nested(9)
    calls = {"from_python": 3000, "from_c": 2000, "from_map": 700, "nested": 200}
    print(json.dumps({"calls": calls, "total": total, "inlines": sys.version_info >= (3, 11)}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
