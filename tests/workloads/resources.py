# SPDX-License-Identifier: GPL-2.0-or-later
"""resources.py FOLDER: quanta that measure themselves, each using another resource.

Each begins and ends at a getrusage() of its own, so that what it prints is what a recording must hold: one JSON object
a line, with differences of getrusage(), /proc/self/io and the CPU's clock, and the peak of memory since its beginning
(the kernel's high-water mark is reset there)."""
import json
import mmap
import os
import resource
import subprocess
import sys
import threading
import time

MB = 1 << 20
FOLDER = sys.argv[1]
IO = os.open("/proc/self/io", os.O_RDONLY)
IO_NAMES = ("rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes", "cancelled_write_bytes")
STATUS = os.open("/proc/self/status", os.O_RDONLY)
DELAY = os.open("/proc/self/schedstat", os.O_RDONLY) if os.path.exists("/proc/self/schedstat") else -1


def read_io():
    text = os.pread(IO, 4096, 0)
    values = dict(line.split(": ") for line in text.decode().split("\n") if line)
    return {name: int(values[name]) for name in IO_NAMES}, len(text)


def read_memory():
    """(high-water mark, now) in bytes."""
    values = dict(line.split(":", 1) for line in os.pread(STATUS, 8192, 0).decode().split("\n") if line)
    return tuple(int(values[name].split()[0]) * 1024 for name in ("VmHWM", "VmRSS"))


def reset_peak():
    with open("/proc/self/clear_refs", "w") as stream:
        stream.write("5")


def delay_ns():
    return int(os.pread(DELAY, 100, 0).split()[1]) if DELAY >= 0 else None


def burn(seconds, clock=time.process_time):
    end = clock() + seconds
    while clock() < end:
        sum(range(500))


def touch(megabytes):
    """Memory of its own, given back at once."""
    memory = mmap.mmap(-1, megabytes * MB)
    for at in range(0, len(memory), 4096):
        memory[at] = 1
    memory.close()


# --- the work of quanta

def small():
    touch(60)


def large():
    touch(300)


def files():
    path = os.path.join(FOLDER, "data")
    with open(path, "wb", buffering=0) as stream:
        for _ in range(64):
            stream.write(b"x" * 131072)
        os.fsync(stream.fileno())
    with open(path, "rb", buffering=0) as stream:
        while stream.read(65536):
            pass
    os.unlink(path)


def waits():
    for _ in range(50):
        time.sleep(0.001)
    burn(0.1)


def threads():
    def work():
        burn(0.02, time.thread_time)
        with open(__file__, "rb", buffering=0) as stream:
            stream.read(1000)

    running = [threading.Thread(target=work) for _ in range(4)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


CHILD = """
import time, os
end = time.process_time() + 0.15
while time.process_time() < end: sum(range(500))
kept = bytearray(80 << 20)
os.write(os.open(%r, os.O_WRONLY | os.O_CREAT), b"y" * (3 << 20))
"""


def child():
    subprocess.run([sys.executable, "-S", "-c", CHILD % os.path.join(FOLDER, "child")], check=True)
    burn(0.05)


MOVES = 20


def moves():
    cpus = sorted(os.sched_getaffinity(0))
    for number in range(MOVES if len(cpus) > 1 else 0):
        os.sched_setaffinity(0, {cpus[number % 2]})
    os.sched_setaffinity(0, cpus)


def crowded():
    """In the run queue half of the time: another process has the same CPU."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    rival = subprocess.Popen([sys.executable, "-S", "-c", "import time\nend = time.process_time() + 0.2\n"
                              "while time.process_time() < end: sum(range(500))"])
    burn(0.15)
    rival.wait()
    os.sched_setaffinity(0, cpus)


# --- quanta

class Measured:
    """What run_job() saw at its beginning and end."""


def run_job(job_id, name, work, measured):
    measured.before = resource.getrusage(resource.RUSAGE_SELF)
    measured.children = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured.io, _ = read_io()
    measured.cpu = time.process_time()
    measured.delay, measured.time = delay_ns(), time.monotonic()
    reset_peak()
    measured.memory = read_memory()
    work()
    measured.peak, measured.end_memory = read_memory()
    measured.end_delay, measured.end_time = delay_ns(), time.monotonic()
    measured.end_cpu = time.process_time()
    measured.end_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured.end_io, size = read_io()
    # What this very call read counts, and is not yet in what it says.
    measured.end_io["rchar"] += size
    measured.end_io["syscr"] += 1


def tell(job_id, name, measured, after):
    def used(field, children=False):
        one, other = (measured.children, measured.end_children) if children else (measured.before, after)
        return getattr(other, field) - getattr(one, field)

    told = {
        "what": "quantum", "pid": os.getpid(), "id": job_id, "label": name,
        "cpu": measured.end_cpu - measured.cpu,
        "voluntary_switches": used("ru_nvcsw"), "involuntary_switches": used("ru_nivcsw"),
        "minor_faults": used("ru_minflt"), "major_faults": used("ru_majflt"),
        "children_cpu": used("ru_utime", True) + used("ru_stime", True),
        "children_voluntary_switches": used("ru_nvcsw", True),
        "children_minor_faults": used("ru_minflt", True),
        "children_rss_peak": measured.end_children.ru_maxrss * 1024,
        "run_queue": None if measured.delay is None else (measured.end_delay - measured.delay) / 1e9,
        "elapsed": measured.end_time - measured.time,
        "rss_start": measured.memory[1], "rss_end": measured.end_memory, "rss_peak": measured.peak,
        "threads": 5 if name == "threads" else 1,
        "migrations": MOVES - 1 if name == "moves" and len(os.sched_getaffinity(0)) > 1 else 0,
    }
    told.update((name, measured.end_io[name] - measured.io[name]) for name in IO_NAMES)
    os.write(1, (json.dumps(told) + "\n").encode())


def main():
    time.sleep(0.3)
    for number, work in enumerate((small, large, small, files, waits, threads, child, moves, crowded, small)):
        measured = Measured()
        job_id = "job-%d" % number
        run_job(job_id, work.__name__, work, measured)
        after = resource.getrusage(resource.RUSAGE_SELF)
        tell(job_id, work.__name__, measured, after)
        time.sleep(0.05)


main()
