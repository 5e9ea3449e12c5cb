#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""leave_breakpoint.py find PID FILE: waits for a breakpoint in the code that the process maps of the file; says its
address.
leave_breakpoint.py leave PID FILE ADDRESS: waits until all are taken away, and writes one there that the kernel knows
nothing of, as a recorder leaves it that is killed at the wrong moment. The process is stopped.
leave_breakpoint.py check PID FILE: whether the code is what the file has."""

import sys
import time

BREAKPOINT = 0xCC
LONGEST = 20  # seconds


class Code:
    def __init__(self, pid, path):
        with open("/proc/%s/maps" % pid, encoding="utf-8") as maps:
            fields = next(line.split() for line in maps if line.split()[1] == "r-xp" and line.split()[-1] == path)
        self.start, end = (int(part, 16) for part in fields[0].split("-"))
        self.memory = open("/proc/%s/mem" % pid, "r+b", 0)
        with open(path, "rb") as file:
            file.seek(int(fields[2], 16))
            self.of_file = file.read(end - self.start)

    def changes(self):
        """(address, byte) where the process has something else than the file."""
        self.memory.seek(self.start)
        pairs = enumerate(zip(self.memory.read(len(self.of_file)), self.of_file))
        return [(self.start + i, now) for i, (now, of_file) in pairs if now != of_file]

    def wait_for(self, wanted):
        end = time.monotonic() + LONGEST
        while not wanted(self.changes()) and time.monotonic() < end:
            time.sleep(0.01)
        return self.changes()


def main():
    what, pid, path = sys.argv[1:4]
    code = Code(pid, path)
    if what == "find":
        changes = code.wait_for(bool)
        if not changes or changes[0][1] != BREAKPOINT:
            sys.exit("FAIL: process %s has no breakpoint: %s" % (pid, changes))
        print(changes[0][0])
    elif what == "leave":
        code.wait_for(lambda changes: not changes)
        code.memory.seek(int(sys.argv[4]))
        code.memory.write(bytes([BREAKPOINT]))
    elif code.changes():
        sys.exit("FAIL: code is changed: %s" % ", ".join("%x: %02x" % one for one in code.changes()))


main()
