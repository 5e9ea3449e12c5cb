#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that wait, each in a function of its own, and how long each of them waited for what.

Prints "ready" when never_before waits already, begins at a line on stdin, prints one line of JSON
when all but the two that never return have ended, and ends at the end of stdin.

A thread measures its whole life in its function: the clock, its own CPU time, and its run-queue delay
as the kernel accounts it (schedstat). What lies between is waiting. The calls that wait are measured
one by one as well, by class: their time without CPU time and without the run queue.

--set calls    waits in system calls
--set faults   page faults and the run queue: apart, because who is preempted while he holds the
               interpreter's lock makes all others wait

--folder must lie on a real disk, for the classes disk, file_system and page_fault.

Runs on CPython 3.8 and later, standard library only.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import mmap
import os
import select
import socket
import subprocess
import sys
import threading
import time
import zlib

PAGE = mmap.PAGESIZE
FILE_PAGES = 4096


class Meter:
    """What the calls of the thread that makes it wait, by class."""

    def __init__(self):
        self.waits = {}
        path = "/proc/self/task/%d/schedstat" % threading.get_native_id()
        self.schedstat = os.open(path, os.O_RDONLY)

    def close(self):
        os.close(self.schedstat)

    def run_delay(self):
        return int(os.pread(self.schedstat, 100, 0).split()[1]) / 1e9

    @contextlib.contextmanager
    def waiting(self, name):
        delay = self.run_delay()
        cpu = time.thread_time()
        begin = time.perf_counter()
        yield
        wall = time.perf_counter() - begin
        cpu = time.thread_time() - cpu
        delay = self.run_delay() - delay
        waited = delay if name == "run_queue" else wall - cpu - delay
        self.waits[name] = self.waits.get(name, 0.0) + waited


class Workload:
    def __init__(self, seconds, folder):
        self.seconds = seconds
        self.folder = folder
        self.end = None  # time.perf_counter() at which the functions return
        self.results = {}
        self.held = threading.Lock()
        self.never = threading.Lock()
        self.never.acquire()
        self.pipe = os.pipe()
        self.sockets = socket.socketpair()
        self.silent = os.pipe()

    def goes_on(self):
        return time.perf_counter() < self.end

    def path(self, name):
        return os.path.join(self.folder, name)

    # --- one function per wait

    def sleep_short(self, meter):
        while self.goes_on():
            with meter.waiting("sleep"):
                time.sleep(0.001)

    def sleep_long(self, meter):
        while self.goes_on():
            with meter.waiting("sleep"):
                time.sleep(0.7)

    def lock_holder(self, meter):
        while self.goes_on():
            with self.held:
                with meter.waiting("sleep"):
                    time.sleep(0.02)
            with meter.waiting("sleep"):
                time.sleep(0.002)

    def lock_waiter(self, meter):
        while self.goes_on():
            with meter.waiting("lock"):
                self.held.acquire()
            self.held.release()
            with meter.waiting("sleep"):
                time.sleep(0.001)

    def file_lock_waiter(self, meter):
        """Another open file of the same file holds the lock for 15 ms each time."""
        with open(self.path("locked"), "w") as mine, open(self.path("locked")) as other:
            while self.goes_on():
                fcntl.flock(other, fcntl.LOCK_EX)
                timer = threading.Timer(0.015, fcntl.flock, (other, fcntl.LOCK_UN))
                with meter.waiting("lock"):
                    timer.start()
                with meter.waiting("lock"):
                    fcntl.flock(mine, fcntl.LOCK_EX)
                fcntl.flock(mine, fcntl.LOCK_UN)
                with meter.waiting("lock"):
                    timer.join()

    def feeder(self, meter):
        while self.goes_on():
            with meter.waiting("sleep"):
                time.sleep(0.01)
            os.write(self.pipe[1], b"x")
            self.sockets[1].send(b"x")
        os.close(self.pipe[1])
        self.sockets[1].close()

    def pipe_reader(self, meter):
        while True:
            with meter.waiting("pipe"):
                if not os.read(self.pipe[0], 1):
                    return

    def socket_reader(self, meter):
        while True:
            with meter.waiting("socket"):
                if not self.sockets[0].recv(1):
                    return

    def select_timeout(self, meter):
        while self.goes_on():
            with meter.waiting("poll"):
                select.select([self.silent[0]], [], [], 0.03)

    def poll_timeout(self, meter):
        poll = select.poll()
        poll.register(self.silent[0], select.POLLIN)
        while self.goes_on():
            with meter.waiting("poll"):
                poll.poll(25)

    def epoll_timeout(self, meter):
        with select.epoll() as epoll:
            epoll.register(self.silent[0], select.EPOLLIN)
            while self.goes_on():
                with meter.waiting("poll"):
                    epoll.poll(0.02)

    def file_syncer(self, meter):
        descriptor = os.open(self.path("synced"), os.O_RDWR | os.O_CREAT, 0o600)
        number = 0
        while self.goes_on():
            os.pwrite(descriptor, os.urandom(PAGE), number % 64 * PAGE)
            number += 1
            with meter.waiting("disk+file_system"):
                os.fsync(descriptor)
            with meter.waiting("sleep"):
                time.sleep(0.005)
        os.close(descriptor)

    def child_waiter(self, meter):
        while self.goes_on():
            child = subprocess.Popen(["sleep", "0.04"])
            with meter.waiting("child"):
                child.wait()

    def page_toucher(self, meter):
        """Pages that are not in memory, read by a function that has released the GIL."""
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])  # away from cpu_sharer
        with open(self.path("mapped"), "wb") as stream:
            for _ in range(FILE_PAGES // 64):
                stream.write(os.urandom(64 * PAGE))
            stream.flush()
            with meter.waiting("disk+file_system"):
                os.fsync(stream.fileno())
        with open(self.path("mapped"), "rb") as stream:
            mapping = mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)
            mapping.madvise(mmap.MADV_RANDOM)
            view = memoryview(mapping)
            while self.goes_on():
                mapping.madvise(mmap.MADV_DONTNEED)
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                for page in range(0, FILE_PAGES, 2):
                    if not self.goes_on():
                        break
                    with meter.waiting("page_fault"):
                        zlib.crc32(view[page * PAGE : (page + 2) * PAGE])
            view.release()
            mapping.close()

    def cpu_sharer(self, meter):
        """Shares one CPU with another process: half of the time it is ready, but does not run."""
        cpu = min(os.sched_getaffinity(0))
        code = "import os\nos.sched_setaffinity(0, [%d])\nwhile True: pass" % cpu
        peer = subprocess.Popen([sys.executable, "-S", "-c", code])
        os.sched_setaffinity(0, [cpu])  # of this thread
        while self.goes_on():
            with meter.waiting("run_queue"):
                hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 200000)
        peer.kill()
        with meter.waiting("child"):
            peer.wait()

    def never_before(self):
        self.never.acquire()

    def never_after(self):
        self.never.acquire()

    # --- the threads

    def measure(self, function):
        meter = Meter()
        begin, cpu, delay = time.perf_counter(), time.thread_time(), meter.run_delay()
        function(meter)
        self.results[function.__name__] = {
            "tid": threading.get_native_id(),
            "wall": time.perf_counter() - begin,
            "cpu": time.thread_time() - cpu,
            "run_queue": meter.run_delay() - delay,
            "waits": meter.waits,
        }
        meter.close()

    def start_never(self, function):
        """Begins are in nanoseconds of CLOCK_BOOTTIME, as a recording's own begin and end."""
        thread = threading.Thread(target=function, daemon=True)
        begin = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        thread.start()
        self.results[function.__name__] = {"tid": thread.native_id, "begin_boot_ns": begin}

    def run(self, which):
        calls = [
            self.sleep_short,
            self.sleep_long,
            self.lock_holder,
            self.lock_waiter,
            self.file_lock_waiter,
            self.feeder,
            self.pipe_reader,
            self.socket_reader,
            self.select_timeout,
            self.poll_timeout,
            self.epoll_timeout,
            self.file_syncer,
            self.child_waiter,
        ]
        faults = [self.page_toucher, self.cpu_sharer]
        functions = calls if which == "calls" else faults
        self.end = time.perf_counter() + self.seconds
        self.start_never(self.never_after)
        threads = [threading.Thread(target=self.measure, args=(f,)) for f in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--set", choices=("calls", "faults"), default="calls")
    parser.add_argument("--folder", required=True)
    arguments = parser.parse_args()
    workload = Workload(arguments.seconds, arguments.folder)
    workload.start_never(workload.never_before)
    time.sleep(0.1)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 1
    workload.run(arguments.set)
    print(json.dumps({"pid": os.getpid(), "functions": workload.results}), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
