#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""wait_rules.py --folder FOLDER [--seconds N] [--cpu-group DIR] [--memory-group DIR]: threads that
wait each for one thing, one function after the other. Prints as JSON how long each waited without
being ready to run: {"pid", "functions": {NAME: {"tids", "wall", "cpu", "queued",
"waited", "unmeasured"}}}; unmeasured: seconds of its threads' lives before and after that.
--cpu-group, --memory-group: control groups with limits, to be entered for one function each. Waits
until stdin has a line before it begins, and until stdin ends before it ends."""

import argparse
import fcntl
import json
import mmap
import os
import sys
import threading
import time

PAGE = 4096
MAPPED = 24 << 20
WRITTEN = 64 << 20


class Workload:
    def __init__(self, arguments):
        self.seconds = arguments.seconds
        self.folder = arguments.folder
        self.cpu_group = arguments.cpu_group
        self.memory_group = arguments.memory_group
        self.results = {}
        self.lock = threading.Lock()
        self.end = 0.0
        self.ends = []  # (entry of results, when its thread had ended)

    def measure(self, function, started):
        schedstat = os.open("/proc/self/task/%d/schedstat" % threading.get_native_id(), os.O_RDONLY)

        def look():
            cpu, queued = (int(word) / 1e9 for word in os.pread(schedstat, 100, 0).split()[:2])
            return time.perf_counter(), cpu, queued

        before = look()
        function()
        after = look()
        wall, cpu, queued = (b - a for a, b in zip(before, after))
        os.close(schedstat)
        entry = self.results.setdefault(
            function.__name__,
            {"tids": [], "wall": 0, "cpu": 0, "queued": 0, "waited": 0, "unmeasured": 0},
        )
        self.ends.append((entry, after[0]))
        entry["unmeasured"] += before[0] - started
        entry["tids"].append(threading.get_native_id())
        for name, value in zip(
            ("wall", "cpu", "queued", "waited"), (wall, cpu, queued, wall - cpu - queued)
        ):
            entry[name] += value

    def run(self, *functions):
        self.end = time.perf_counter() + self.seconds
        threads = []
        self.ends = []
        for function in functions:
            arguments = function, time.perf_counter()
            threads.append(threading.Thread(target=self.measure, args=arguments))
            threads[-1].start()
        for thread in threads:
            thread.join()
        for entry, ended in self.ends:
            entry["unmeasured"] += time.perf_counter() - ended

    def goes_on(self):
        return time.perf_counter() < self.end

    def gil_wanter(self):
        """Two of them want the interpreter all the time."""
        while self.goes_on():
            sum(range(1000))

    def lock_owner(self):
        while self.goes_on():
            with self.lock:
                time.sleep(0.02)
            time.sleep(0.001)

    def lock_wanter(self):
        while self.goes_on():
            with self.lock:
                pass
            time.sleep(0.002)

    def file_lock_owner(self):
        with open(os.path.join(self.folder, "locked"), "w") as file:
            while self.goes_on():
                fcntl.flock(file, fcntl.LOCK_EX)
                time.sleep(0.03)
                fcntl.flock(file, fcntl.LOCK_UN)
                time.sleep(0.002)

    def file_lock_wanter(self):
        with open(os.path.join(self.folder, "locked"), "w") as file:
            while self.goes_on():
                fcntl.flock(file, fcntl.LOCK_EX)
                fcntl.flock(file, fcntl.LOCK_UN)

    def page_reader(self):
        path = os.path.join(self.folder, "mapped")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.write(descriptor, os.urandom(MAPPED))
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        with mmap.mmap(descriptor, MAPPED, mmap.MAP_SHARED, mmap.PROT_READ) as memory:
            memory.madvise(mmap.MADV_RANDOM)
            self.touch(memory)
        os.close(descriptor)

    @staticmethod
    def touch(memory):
        for at in range(0, MAPPED, PAGE):
            memory[at]

    def file_syncer(self):
        descriptor = os.open(os.path.join(self.folder, "synced"), os.O_RDWR | os.O_CREAT, 0o600)
        while self.goes_on():
            os.pwrite(descriptor, os.urandom(PAGE), 0)
            os.fsync(descriptor)
        os.close(descriptor)

    @staticmethod
    def enter(group, function):
        """Runs it in the group, and goes back to the group above."""
        for place in (group, os.path.dirname(group)):
            with open(os.path.join(place, "cgroup.procs"), "w") as file:
                file.write(str(os.getpid()))
            if place == group:
                function()

    def throttled_spinner(self):
        self.enter(self.cpu_group, self.spin)

    def spin(self):
        while self.goes_on():
            sum(range(10000))

    def memory_wanter(self):
        self.enter(self.memory_group, self.fill)

    def fill(self):
        """Writes pages of a mapped file, more than the group may have at once."""
        path = os.path.join(self.folder, "filled")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, WRITTEN)
        with mmap.mmap(descriptor, WRITTEN) as memory:
            for at in range(0, WRITTEN, PAGE):
                memory[at] = at >> 12 & 255
        os.close(descriptor)
        os.unlink(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--cpu-group")
    parser.add_argument("--memory-group")
    workload = Workload(parser.parse_args())
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 1
    workload.run(workload.gil_wanter, workload.gil_wanter)
    workload.run(workload.lock_owner, workload.lock_wanter)
    workload.run(workload.file_lock_owner, workload.file_lock_wanter)
    workload.run(workload.page_reader)
    workload.run(workload.file_syncer)
    if workload.cpu_group:
        workload.run(workload.throttled_spinner)
    if workload.memory_group:
        workload.run(workload.memory_wanter)
    print(json.dumps({"pid": os.getpid(), "functions": workload.results}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
