#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""limited.py WHAT FILE: want of memory, of known size; prints a JSON object.

    touch FILE   maps FILE, which is not in memory, and touches each of its pages: major faults
    read FILE    reads FILE, which is not in memory: in a small control group older pages must go
    eat FILE     takes memory until it is killed; FILE gets its object before"""

import json
import mmap
import os
import resource
import sys

PAGE = 4096
MIB = 1 << 20


def forget(path):
    """Drops what of the file is in memory."""
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def touch_pages(path):
    with open(path, "rb") as stream:
        area = mmap.mmap(stream.fileno(), 0, prot=mmap.PROT_READ)
    area.madvise(mmap.MADV_RANDOM)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
    for at in range(0, len(area), PAGE):
        area[at]
    return {"pages": len(area) // PAGE, "major_faults": resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before}


def read_all(path):
    bytes_ = 0
    with open(path, "rb", buffering=0) as stream:
        while data := stream.read(MIB):
            bytes_ += len(data)
    return {"bytes": bytes_}


def eat(path):
    with open(path, "w", encoding="utf-8") as stream:
        json.dump({"pid": os.getpid()}, stream)
    kept = []
    while True:
        kept.append(b"x" * MIB)


def main():
    what, path = sys.argv[1:]
    if what == "eat":
        eat(path)
    forget(path)
    told = touch_pages(path) if what == "touch" else read_all(path)
    print(json.dumps(dict(told, pid=os.getpid(), path=path)))


if __name__ == "__main__":
    main()
