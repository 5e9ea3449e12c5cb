#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that wait, each in a function of its own, and how long each of them waited for what.

Prints "ready" when never_before waits already, begins at a line on stdin, prints one line of JSON
when all but the two that never return have ended, and ends at the end of stdin.

A thread measures its whole life in its function: the clock, its own CPU time, and its run-queue delay
as the kernel accounts it (schedstat). What lies between is waiting. The calls that wait are measured
one by one as well, by class: their time without CPU time and without the run queue.

--set calls    waits in system calls
--set few      some of all: so few that on a slow CPU, too, the interpreter's lock is mostly free
--set faults   page faults and the run queue: apart, because who is preempted while he holds the
               interpreter's lock makes all others wait

What the kernel accounts is not exact to the microsecond: a thread that is woken has CPU time from when
it was put into the run queue, though it runs some microseconds later. Of waits of 40 microseconds, as
fast disks answer, that makes some percent. So each fault of page_toucher reads as much as the kernel
reads at once, and fault_waiter's are answered by another thread (userfaultfd), after milliseconds.

--folder must lie on a real disk, for the classes disk, file_system and page_fault.

Runs on CPython 3.8 and later, standard library only.
"""

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import json
import mmap
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

PAGE = mmap.PAGESIZE
FILE_PAGES = 16384
READ_AHEAD = 32  # pages: about what one fault makes the kernel read
FAULTS = 64  # of a pass over the memory of fault_waiter, each of two pages: zlib keeps the
FAULT_PAGES = 2  # interpreter's lock below 5 KiB
LOOK = 20e-6  # seconds that a look at the clocks may take without running

USERFAULTFD = {"x86_64": 323, "aarch64": 282}
UFFD_API = 0xAA
UFFDIO_API = 0xC018AA3F
UFFDIO_REGISTER = 0xC020AA00
UFFDIO_COPY = 0xC028AA03
UFFDIO_REGISTER_MODE_MISSING = 1
UFFD_EVENT_PAGEFAULT = 0x12


class FaultyMemory:
    """Memory in which each page is missing until supply() brings it. OSError: not possible here."""

    def __init__(self):
        size = FAULTS * FAULT_PAGES * PAGE
        libc = ctypes.CDLL(None, use_errno=True)
        number = USERFAULTFD.get(os.uname().machine, -1)
        self.descriptor = libc.syscall(number, os.O_CLOEXEC)
        if self.descriptor < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        self.mapping = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.mapping))
        self.page = ctypes.create_string_buffer(FAULT_PAGES * PAGE)
        fcntl.ioctl(self.descriptor, UFFDIO_API, struct.pack("QQQ", UFFD_API, 0, 0))
        fcntl.ioctl(
            self.descriptor,
            UFFDIO_REGISTER,
            struct.pack("QQQQ", self.start, size, UFFDIO_REGISTER_MODE_MISSING, 0),
        )

    def forget(self):
        self.mapping.madvise(mmap.MADV_DONTNEED)

    def next_fault(self):
        """Its address, once there is one."""
        event, _, address = struct.unpack("QQQQ", os.read(self.descriptor, 32))[:3]
        assert event & 0xFF == UFFD_EVENT_PAGEFAULT
        return address

    def supply(self, address):
        size = FAULT_PAGES * PAGE
        address = self.start + (address - self.start) // size * size
        source = ctypes.addressof(self.page)
        fcntl.ioctl(
            self.descriptor, UFFDIO_COPY, struct.pack("QQQQq", address, source, size, 0, 0)
        )


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

    def look(self):
        """(clock, CPU time) before and after, and run-queue delay. The three cannot be read at once;
        who does not run in between has read them together."""
        for _ in range(20):
            before = time.perf_counter(), time.thread_time()
            delay = self.run_delay()
            after = time.perf_counter(), time.thread_time()
            if after[0] - before[0] - (after[1] - before[1]) < LOOK:
                break
        return before, after, delay

    @contextlib.contextmanager
    def waiting(self, name):
        _, (wall, cpu), delay = self.look()
        yield
        (wall_end, cpu_end), _, delay_end = self.look()
        delay = delay_end - delay
        waited = delay if name == "run_queue" else wall_end - wall - (cpu_end - cpu) - delay
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
        self.writer = None  # the process that process_reader reads from
        self.memory_done = False
        self.memory = None

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

    def start_writer(self):
        code = (
            "import time\n"
            "end = time.monotonic() + %f\n"
            "while time.monotonic() < end:\n"
            " time.sleep(0.02)\n"
            " print('x', end='', flush=True)"
        )
        command = [sys.executable, "-S", "-c", code % self.seconds]
        self.writer = subprocess.Popen(command, stdout=subprocess.PIPE)

    def process_reader(self, meter):
        """Reads what another process writes."""
        while True:
            with meter.waiting("pipe"):
                if not os.read(self.writer.stdout.fileno(), 1):
                    break
        with meter.waiting("child"):
            self.writer.wait()
        self.writer.stdout.close()

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
        pages = list(range(0, FILE_PAGES, READ_AHEAD))
        with open(self.path("mapped"), "rb") as stream:
            mapping = mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)
            view = memoryview(mapping)
            while self.goes_on():
                mapping.madvise(mmap.MADV_DONTNEED)
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                random.shuffle(pages)  # nothing is read ahead of a fault
                for page in pages:
                    if not self.goes_on():
                        break
                    with meter.waiting("page_fault"):
                        zlib.crc32(view[page * PAGE : (page + 2) * PAGE])
            view.release()
            mapping.close()

    def fault_waiter(self, meter):
        view = memoryview(self.memory.mapping)
        size = FAULT_PAGES * PAGE
        while self.goes_on():
            self.memory.forget()
            for fault in range(FAULTS):
                with meter.waiting("page_fault"):
                    zlib.crc32(view[fault * size : (fault + 1) * size])
        self.memory_done = True
        self.memory.forget()
        zlib.crc32(view[:size])  # for fault_resolver, which waits for it
        view.release()

    def fault_resolver(self, meter):
        while True:
            with meter.waiting("other:read"):
                address = self.memory.next_fault()
            if self.memory_done:
                break
            # The interpreter's lock is taken again at the end, and others want it.
            with meter.waiting("sleep+lock"):
                time.sleep(0.003)
            self.memory.supply(address)
        self.memory.supply(address)

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
            self.process_reader,
            self.socket_reader,
            self.select_timeout,
            self.poll_timeout,
            self.epoll_timeout,
            self.file_syncer,
            self.child_waiter,
        ]
        few = [
            self.sleep_long,
            self.lock_holder,
            self.lock_waiter,
            self.process_reader,
            self.select_timeout,
        ]
        faults = [self.page_toucher, self.cpu_sharer]
        if which in ("few", "faults"):
            try:
                self.memory = FaultyMemory()
                faults += [self.fault_waiter, self.fault_resolver]
                few += [self.fault_waiter, self.fault_resolver]
            except OSError as error:
                print("no page faults of known length here: %s" % error, flush=True)
        functions = {"calls": calls, "few": few, "faults": faults}[which]
        if which != "faults":
            self.start_writer()
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
    parser.add_argument("--set", choices=("calls", "few", "faults"), default="calls")
    parser.add_argument("--folder", required=True)
    arguments = parser.parse_args()
    workload = Workload(arguments.seconds, arguments.folder)
    workload.start_never(workload.never_before)
    time.sleep(0.1)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 1
    workload.run(arguments.set)
    writer = workload.writer.pid if workload.writer else None
    result = {"pid": os.getpid(), "writer": writer, "functions": workload.results}
    print(json.dumps(result), flush=True)
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
