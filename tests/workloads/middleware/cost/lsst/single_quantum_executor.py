# SPDX-License-Identifier: GPL-2.0-or-later
"""single_quantum_executor.py plain|quantum|call COUNT: the same work, outside of quanta or inside one.

Prints the CPU time in nanoseconds; of `call` that of one getrusage() out of COUNT.
"""
import resource
import sys
import time

PARTS = 10


def burn(count):
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


class Task:
    _name = "isr"
    _fullName = "isr.fit"

    def run(self, count):
        for _ in range(PARTS):
            resource.getrusage(resource.RUSAGE_SELF)
            burn(count // PARTS)


def execute(quantum, count):
    resource.getrusage(resource.RUSAGE_SELF)
    Task().run(count)
    return quantum


def plain(_quantum, count):
    for _ in range(PARTS):
        burn(count // PARTS)


def call(_quantum, count):
    for _ in range(count):
        resource.getrusage(resource.RUSAGE_SELF)


kind, count = sys.argv[1], int(sys.argv[2])
start = time.process_time()
{"plain": plain, "quantum": execute, "call": call}[kind]([kind], count)
print(round((time.process_time() - start) * 1e9 / (count if kind == "call" else 1)))
