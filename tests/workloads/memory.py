#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""memory.py [--scale N]: maps and touches known amounts of memory in functions of known names.

Prints "ready", waits for a line, does it, prints by function what it has done (bytes that came,
bytes and number of mappings, of them live at the end and when there were most), and waits for the
end of its input."""

import argparse
import ctypes
import json
import mmap
import os
import sys

PAGE = 4096
MIB = 1 << 20
PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
POPULATE = 0x8000
SIZE = 32 * MIB
SOURCE = b"x" * SIZE

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mremap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

expected = {}


def note(function, **figures):
    expected.setdefault(function, {}).update(figures)


def map_pages(length, flags=PRIVATE, protection=3):
    address = libc.mmap(None, length, protection, flags, -1, 0)
    assert address and address != ctypes.c_void_p(-1).value, "mmap"
    return address


def unmap(address, length):
    assert libc.munmap(address, length) == 0, "munmap"


# What comes: each time a fresh mapping, filled and given back.


def touch_often(times):
    for _ in range(times):
        area = mmap.mmap(-1, SIZE, flags=PRIVATE)
        area[:] = SOURCE
        area.close()
    note("touch_often", grown=times * SIZE, kind="anonymous")


def touch_shared(times):
    for _ in range(times):
        area = mmap.mmap(-1, SIZE)
        area[:] = SOURCE
        area.close()
    note("touch_shared", grown=times * SIZE, kind="shared")


def touch_huge(times):
    for _ in range(times):
        area = mmap.mmap(-1, SIZE, flags=PRIVATE)
        if hasattr(area, "madvise") and hasattr(mmap, "MADV_HUGEPAGE"):
            area.madvise(mmap.MADV_HUGEPAGE)
        area[:] = SOURCE
        area.close()
    note("touch_huge", grown=times * SIZE, kind="anonymous")


def read_zeros(times):
    """The kernel touches them, in a system call."""
    with open("/dev/zero", "rb", buffering=0) as zeros:
        for _ in range(times):
            area = mmap.mmap(-1, SIZE, flags=PRIVATE)
            assert zeros.readinto(area) == SIZE
            area.close()
    note("read_zeros", grown=times * SIZE, kind="anonymous")


def populate(times):
    for _ in range(times):
        unmap(map_pages(SIZE, PRIVATE | POPULATE), SIZE)
    note("populate", grown=times * SIZE, kind="anonymous")


def child_touches(times):
    """In a child, whose memory is its own."""
    pid = os.fork()
    if not pid:
        touch_in_child(times)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    note("touch_in_child", grown=times * SIZE, kind="anonymous")


def touch_in_child(times):
    for _ in range(times):
        area = mmap.mmap(-1, SIZE, flags=PRIVATE)
        area[:] = SOURCE
        area.close()


# What is mapped, by number and bytes: nothing of it is touched.


def keep_all():
    kept = [map_pages(MIB + 3 * PAGE) for _ in range(100)]
    bytes_ = len(kept) * (MIB + 3 * PAGE)
    note("keep_all", count=100, bytes=bytes_, live=bytes_, live_count=100, peak=bytes_, peak_count=100)
    return kept


def release_all():
    kept = [map_pages(16 * MIB) for _ in range(30)]
    for address in kept:
        unmap(address, 16 * MIB)
    note("release_all", count=30, bytes=480 * MIB, live=0, live_count=0, peak=480 * MIB, peak_count=30)


def after_peak():
    """Half of each is released: from the middle, the start and the end in turn."""
    for i in range(30):
        address = map_pages(MIB)
        unmap(address + (0, MIB // 4, MIB // 2)[i % 3], MIB // 2)
    note("after_peak", count=30, bytes=30 * MIB, live=15 * MIB, live_count=30, peak=0, peak_count=0)


def move_about():
    """mremap: 1 MiB becomes 3, where it may lie elsewhere, and 2 again; what is longer is new."""
    for _ in range(10):
        address = map_pages(MIB)
        address = libc.mremap(address, MIB, 3 * MIB, 1)
        address = libc.mremap(address, 3 * MIB, 2 * MIB, 1)
        assert address != ctypes.c_void_p(-1).value
    note("move_about", count=20, bytes=30 * MIB, live=20 * MIB, live_count=20, peak=0, peak_count=0)


def map_over():
    """MAP_FIXED over what is there: the old is gone."""
    address = map_pages(4 * MIB)
    for _ in range(5):
        assert libc.mmap(address, 4 * MIB, 3, PRIVATE | 0x10, -1, 0) == address
    libc.mmap(address, MIB, 0, PRIVATE | 0x10, -1, 0)
    note("map_over", count=6, bytes=24 * MIB, live=3 * MIB, live_count=1, peak=0, peak_count=0)


def reserve_only():
    """What cannot be touched is none."""
    map_pages(1024 * MIB, protection=0)
    note("reserve_only", count=0, bytes=0, live=0, live_count=0, peak=0, peak_count=0)


def small_objects(number):
    """From Python's own allocator: its arenas are mapped, and come as they are used."""
    objects = [bytes([i & 255]) * 500 for i in range(number)]
    note("small_objects", about=sum(map(sys.getsizeof, objects)) + sys.getsizeof(objects))
    return objects


def from_heap():
    """glibc maps a block of 4 MiB by itself; once one was freed, such blocks come from the heap."""
    libc.free(libc.malloc(4 * MIB))
    kept = [libc.malloc(2 * MIB) for _ in range(32)]
    for address in kept:
        libc.memset(address, 1, 2 * MIB)
    note("from_heap", grown=64 * MIB, heap=64 * MIB, blocks=4 * MIB + PAGE)
    return kept


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=int, default=64, help="times that 32 MiB are touched")
    options = parser.parse_args()
    print("ready", flush=True)
    sys.stdin.readline()
    kept = [keep_all()]
    release_all()
    after_peak()
    move_about()
    map_over()
    reserve_only()
    kept.append(small_objects(100000))
    kept.append(from_heap())
    touch_often(options.scale)
    touch_shared(options.scale)
    touch_huge(options.scale)
    read_zeros(options.scale)
    populate(options.scale)
    child_touches(options.scale)
    print(json.dumps({"pid": os.getpid(), "functions": expected}), flush=True)
    sys.stdin.read()
    return len(kept)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
