# SPDX-License-Identifier: GPL-2.0-or-later
"""The same work, outside of quanta or inside one.

single_quantum_executor.py quantum|call COUNT: prints the CPU time in nanoseconds; of `call` that of one getrusage()
out of COUNT.

single_quantum_executor.py turns GROUPS TURNS COUNT: two children for each group, one that works outside of quanta and
one inside a single one. Prints "GROUP PID PID" of each; after a line of standard input they work in turns, one at a
time, COUNT rounds each, so that what drifts does so for all. Prints what the turns of each took, in nanoseconds of CPU
time: "plain|quantum GROUP NS...".
"""
import os
import resource
import sys
import time

PARTS = 10


def burn(count):
    total = 0
    for number in range(count):
        total += number * number % 7
    return total


def turns(count, wait, tell):
    """Until nobody gives a turn any more."""
    while os.read(wait, 1):
        start = time.thread_time_ns()
        burn(count)
        os.write(tell, b"%d\n" % (time.thread_time_ns() - start))


class Task:
    _name = "isr"
    _fullName = "isr.fit"

    def run(self, count, pipes):
        if pipes:
            return turns(count, *pipes)
        for _ in range(PARTS):
            resource.getrusage(resource.RUSAGE_SELF)
            burn(count // PARTS)


def execute(quantum, count, pipes=None):
    resource.getrusage(resource.RUSAGE_SELF)
    Task().run(count, pipes)
    return quantum


def plain(_quantum, count, pipes):
    resource.getrusage(resource.RUSAGE_SELF)
    turns(count, *pipes)


def call(_quantum, count):
    for _ in range(count):
        resource.getrusage(resource.RUSAGE_SELF)


class Worker:
    """A child. All are forked from here: their memory lies alike."""

    def __init__(self, work, count, others):
        wait, self.give = os.pipe()
        self.result, tell = os.pipe()
        self.times = []
        self.pid = os.fork()
        if not self.pid:
            for end in [self.give, self.result] + [end for one in others for end in (one.give, one.result)]:
                os.close(end)
            work([work.__name__], count, (wait, tell))
            os._exit(0)
        os.close(wait)
        os.close(tell)

    def turn(self):
        os.write(self.give, b"t")
        self.times.append(int(os.read(self.result, 64)))


def in_turns(groups, count_of_turns, count):
    workers = []
    for _ in range(groups):
        for work in plain, execute:
            workers.append(Worker(work, count, workers))
    for group in range(groups):
        print(group, workers[2 * group].pid, workers[2 * group + 1].pid, flush=True)
    sys.stdin.readline()
    for one in workers:  # its code is met
        one.turn()
        one.times.clear()
    order = workers
    for _ in range(count_of_turns):
        for kind in 0, 1:
            for one in order[kind::2]:
                one.turn()
        order = order[2:] + order[:2]
    for one in workers:
        os.close(one.give)
        os.waitpid(one.pid, 0)
    for group in range(groups):
        for kind, name in enumerate(("plain", "quantum")):
            print(name, group, *workers[2 * group + kind].times)


if sys.argv[1] == "turns":
    in_turns(*map(int, sys.argv[2:]))
else:
    kind, count = sys.argv[1], int(sys.argv[2])
    start = time.process_time()
    {"quantum": execute, "call": call}[kind]([kind], count)
    print(round((time.process_time() - start) * 1e9 / (count if kind == "call" else 1)))
