#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of files, with the answer known:

    storage.py datasets FOLDER --task NAME    writes and reads files of several dataset types
    storage.py torn FOLDER                    children that end while they write
    storage.py oom FOLDER GROUP               a child that does so for want of memory, in that control
                                              group, which has a limit

All print one JSON object that says what a recording must say."""

import json
import mmap
import os
import signal
import sys
import threading
import time

BLOCK = b"x" * 1000
THREADS = 16


def write_file(path, size, step=4096):
    """As a data butler does: under another name in the same folder, then renamed."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = os.path.join(os.path.dirname(path), "tmp%s.fits" % os.urandom(4).hex())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    left = size
    while left:
        left -= os.write(descriptor, b"x" * min(step, left))
    os.close(descriptor)
    os.rename(temporary, path)


def read_file(path):
    descriptor = os.open(path, os.O_RDONLY)
    calls = 1
    while os.read(descriptor, 4096):
        calls += 1
    os.close(descriptor)
    return calls


def dataset_path(folder, run, kind, number):
    return "%s/repo/%s/%s/2026/r/HSC-R/%d/%s_HSC_r_%d_%s.fits" % (
        folder, run, kind, number, kind, number, run.replace("/", "_"))


def datasets(folder, task):
    """Of each type: files written and their bytes, files read and how many of them were written here,
    read calls. The inputs were made before anybody recorded."""
    sizes = {"calexp": [10000, 20000, 30000], "src": [500] * 10, "deepCoadd_calexp": [70000]}
    expected = {}
    for kind, all_sizes in sizes.items():
        for number, size in enumerate(all_sizes):
            # A run that is called like a type must not be taken for one.
            write_file(dataset_path(folder, task + "/deepCoadd", kind, number), size)
        expected[kind] = {"files": len(all_sizes), "bytes": sum(all_sizes), "read": 0, "here": 0,
                          "calls": 0}
    # A file that is written once more is no second one.
    path = dataset_path(folder, task + "/deepCoadd", "src", 0)
    with open(path, "ab", buffering=0) as stream:
        stream.write(b"x" * 100)
    expected["src"]["bytes"] += 100
    time.sleep(2.2)  # what is written here in an earlier slice counts
    for kind, numbers in (("calexp", (0, 2)), ("src", range(5))):
        for number in numbers:
            calls = read_file(dataset_path(folder, task + "/deepCoadd", kind, number))
            expected[kind]["calls"] += calls
            expected[kind]["read"] += 1
            expected[kind]["here"] += 1
    raw = {"files": 0, "bytes": 0, "read": 0, "here": 0, "calls": 0}
    for number in range(4):
        raw["calls"] += read_file(dataset_path(folder, "input", "raw", number))
        raw["read"] += 1
    expected["raw"] = raw
    # What is read and then written within a second was not written before.
    path = dataset_path(folder, "input/" + task, "flat", 0)
    calls = read_file(path)
    with open(path, "ab", buffering=0) as stream:
        stream.write(b"x" * 100)
    expected["flat"] = {"files": 1, "bytes": os.path.getsize(path), "read": 1, "here": 0,
                        "calls": calls}
    print(json.dumps({"task": task, "types": expected}))


# --- torn files


def writer(path, blocks, flags=0):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    for _ in range(blocks):
        os.write(descriptor, BLOCK)
    return descriptor


def in_thread(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    thread.join()


def case_plain(path):
    writer(path, 3)


def case_temporary(path):
    writer(path + ".tmp", 5)


def case_thread(path):
    descriptor = writer(path, 1)
    in_thread(os.write, descriptor, BLOCK)


def case_threads(path):
    """They end at the same time, with what they wrote last still their own."""
    descriptor = writer(path, 1)
    written = threading.Barrier(THREADS + 1)

    def write():
        os.write(descriptor, BLOCK)
        written.wait()
        threading.Event().wait()

    for _ in range(THREADS):
        threading.Thread(target=write).start()
    written.wait()


def case_held_twice(path):
    os.close(os.dup(writer(path, 4)))


def case_written_again(path):
    os.close(writer(path, 7))
    writer(path, 2)


def case_mapped(path):
    """Its only descriptor is closed before the mapping is; later it is read through another one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    os.write(descriptor, BLOCK)
    mapped = mmap.mmap(descriptor, len(BLOCK))
    os.close(descriptor)
    mapped.close()
    os.read(os.open(path, os.O_RDWR), 10)


def case_held_by_child(path):
    """What a child holds still is closed for its parent, which then opens it anew."""
    descriptor = writer(path, 5)
    ended, end = os.pipe()
    child = os.fork()
    if not child:
        os.close(end)
        os.read(ended, 1)
        os._exit(0)
    os.close(descriptor)
    os.close(end)
    os.waitpid(child, 0)
    writer(path, 2)


def case_executed(path):
    """The first one is closed by the exec."""
    writer(path, 5)
    os.execv(sys.executable, [sys.executable, __file__, "again", path])


def case_vectored(path):
    os.writev(writer(path, 0), [BLOCK, BLOCK])


def case_copied(path):
    source = writer(path + ".source", 6)
    os.close(source)
    source = os.open(path + ".source", os.O_RDONLY)
    os.sendfile(writer(path, 0), source, 0, 6000)


def case_appended(path):
    writer(path, 2, os.O_APPEND)


def case_renamed(path):
    writer(path + ".tmp", 3)
    os.rename(path + ".tmp", path)


def case_closed(path):
    os.close(writer(path, 3))


def case_unlinked(path):
    writer(path, 3)
    os.unlink(path)


def case_empty(path):
    writer(path, 0)


def case_only_read(path):
    os.close(writer(path, 3))
    os.read(os.open(path, os.O_RDONLY), 100)


def case_standard_output(path):
    """As a shell makes a log: opened before exec."""
    descriptor = writer(path, 1)
    os.dup2(descriptor, 1)
    os.close(descriptor)
    os.execv(sys.executable, [sys.executable, __file__, "talk"])


# Name, what to do, how it ends ("kill", "term" or an exit code), class (None: not torn), bytes, ending
# of the path.
CASES = [
    ("plain", case_plain, "kill", "killed", 3000, ""),
    ("terminated", case_plain, "term", "killed", 3000, ""),
    ("temporary", case_temporary, "kill", "killed", 5000, ".tmp"),
    ("thread", case_thread, "kill", "killed", 2000, ""),
    ("threads", case_threads, "kill", "killed", 1000 * (1 + THREADS), ""),
    ("held_twice", case_held_twice, "kill", "killed", 4000, ""),
    ("written_again", case_written_again, "kill", "killed", 2000, ""),
    ("mapped", case_mapped, "kill", None, 0, ""),
    ("held_by_child", case_held_by_child, "kill", "killed", 2000, ""),
    ("executed", case_executed, "kill", "killed", 2000, ""),
    ("vectored", case_vectored, "kill", "killed", 2000, ""),
    ("copied", case_copied, "kill", "killed", 6000, ""),
    ("appended", case_appended, "kill", "appending", 2000, ""),
    ("failed", case_plain, 3, "failed", 3000, ""),
    ("clean", case_plain, 0, None, 0, ""),
    ("renamed", case_renamed, "kill", None, 0, ""),
    ("closed", case_closed, "kill", None, 0, ""),
    ("unlinked", case_unlinked, "kill", None, 0, ""),
    ("empty", case_empty, "kill", None, 0, ""),
    ("only_read", case_only_read, "kill", None, 0, ""),
    ("standard_output", case_standard_output, "kill", None, 0, ""),
    ("inherited", None, "kill", None, 0, ""),
]


def run_case(folder, name, make, ending):
    path = os.path.join(folder, name)
    ready, told = os.pipe()
    os.set_inheritable(told, True)
    descriptor = writer(path, 1) if make is None else -1
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.close(ready)
        os.environ["READY"] = str(told)
        if make:
            make(path)
        else:
            os.write(descriptor, BLOCK)  # the parent's file
        if isinstance(ending, int):
            os._exit(ending)
        os.write(told, b".")
        signal.pause()
    os.close(told)
    os.read(ready, 1)
    os.close(ready)
    if ending == "kill":
        os.kill(pid, signal.SIGKILL)
    elif ending == "term":
        os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    if descriptor >= 0:
        os.close(descriptor)
    return pid


def torn(folder):
    expected = []
    for name, make, ending, kind, size, suffix in CASES:
        pid = run_case(folder, name, make, ending)
        if kind:
            expected.append({"file": os.path.join(folder, name + suffix), "class": kind,
                             "written_bytes": size, "pid": pid})
    print(json.dumps(expected))


def oom(folder, group):
    path = os.path.join(folder, "oom")
    pid = os.fork()
    if not pid:
        with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as stream:
            stream.write(str(os.getpid()))
        writer(path, 3)
        memory = []
        while True:
            memory.append(b"x" * 1000000)
    status = os.waitpid(pid, 0)[1]
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        sys.exit("the child was not killed: %d" % status)
    print(json.dumps([{"file": path, "class": "killed", "cause": "oom", "written_bytes": 3000,
                       "pid": pid}]))


def await_end():
    os.write(int(os.environ["READY"]), b".")
    signal.pause()


def again(path):
    writer(path, 2)
    await_end()


def talk():
    for _ in range(5):
        os.write(1, BLOCK)
    await_end()


def main():
    if sys.argv[1] == "talk":
        talk()
    elif sys.argv[1] == "again":
        again(sys.argv[2])
    elif sys.argv[1] == "torn":
        torn(os.path.realpath(sys.argv[2]))
    elif sys.argv[1] == "oom":
        oom(os.path.realpath(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "inputs":
        folder = os.path.realpath(sys.argv[2])
        for number in range(4):
            write_file(dataset_path(folder, "input", "raw", number), 5000)
        for task in ("isr", "calibrate"):
            write_file(dataset_path(folder, "input/" + task, "flat", 0), 5000)
    else:
        datasets(os.path.realpath(sys.argv[2]), sys.argv[4])


if __name__ == "__main__":
    main()
