# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions and threads that work at files of their own: file_lines.py FOLDER

Prints a line "FUNCTION FILE OPERATION COUNT BYTES" for each.
"""

import os
import sys
import threading

PAGE = 4096


def told(function, path, operation, count, size):
    print(function, path, operation, count, size, flush=True)


def many_small_reads(path):
    descriptor = os.open(path, os.O_RDONLY)
    for i in range(40000):
        os.pread(descriptor, 64, i % 1000)
    os.close(descriptor)
    told("many_small_reads", path, "read", 40000, 40000 * 64)


def large_reads(path):
    descriptor = os.open(path, os.O_RDONLY)
    for _ in range(100):
        os.pread(descriptor, 1 << 22, 0)
    os.close(descriptor)
    told("large_reads", path, "read", 100, 100 << 22)


def writes(path):
    descriptor = os.open(path, os.O_WRONLY)
    for i in range(20000):
        os.pwrite(descriptor, b"w" * PAGE, i % 512 * PAGE)
    os.close(descriptor)
    told("writes", path, "write", 20000, 20000 * PAGE)


def looks(path):
    for _ in range(20000):
        os.path.exists(path)
    told("looks", path, "stat", 20000, 0)


def main():
    folder = sys.argv[1]
    threads = []
    for function, name, size in (
        (many_small_reads, "small", PAGE),
        (large_reads, "large", 1 << 22),
        (writes, "written", PAGE),
        (looks, None, 0),
    ):
        path = os.path.join(folder, name or "missing")
        if name:
            with open(path, "wb") as stream:
                stream.write(b"x" * size)
        threads.append(threading.Thread(target=function, args=(path,)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
