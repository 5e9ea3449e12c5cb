#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Operations on CephFS, each kind in a function of its own, and what they must be to its client.

ceph.py ONE TWO: two mounts of one file system, as by two clients. Prints one line of JSON:
  expected   function -> what the client must have done for it: {name: number} for requests that are
             known exactly, and {"osd:read bytes": number} likewise
  on         "function operation" -> how many requests on ONE and on TWO
  uncounted  bytes of read_network() that the client, who sent its requests, has not counted
  before, after  what the client says of itself, by client in the order of the mounts (debugfs)
  python     task and process

Functions that know only some of their requests say only those: a look-up may come with a capability,
so that no other request is needed, or without.

Runs on CPython 3.8 and later, standard library only.
"""

import ctypes
import glob
import json
import mmap
import os
import sys
import time

FILES = 24
FOLDERS = 3
BLOCK = 65536
BLOCKS = 16
LARGE = 4 << 20  # one object
ROUNDS = 10
AT_FDCWD = -100
AT_STATX_FORCE_SYNC = 0x2000
STATX_BASIC_STATS = 0x7FF
DEBUG = "/sys/kernel/debug/ceph"


def name_of(folder, index):
    return "%s/file%02d" % (folder, index)


def make_folders(top):
    for index in range(FOLDERS):
        os.mkdir("%s/folder%d" % (top, index))


def fill_folders(top):
    """Of an empty folder a client knows all once it knows the folder."""
    for index in range(FOLDERS):
        os.close(os.open("%s/folder%d/first" % (top, index), os.O_CREAT | os.O_WRONLY))


def meet_folders(top):
    for index in range(FOLDERS):
        os.stat("%s/folder%d" % (top, index))


def create_files(folder):
    for index in range(FILES):
        os.close(os.open(name_of(folder, index), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def open_files(folder):
    """On the other mount, where nobody knows them."""
    for index in range(FILES):
        os.close(os.open(name_of(folder, index), os.O_RDONLY))


def stat_missing(folder):
    for index in range(FILES):
        try:
            os.stat("%s/missing%02d" % (folder, index))
        except FileNotFoundError:
            continue
        sys.exit("a file is there that nobody made")


def stat_files(folder, statx):
    """Whatever the client knows already, it must ask."""
    answer = ctypes.create_string_buffer(256)
    for index in range(FILES):
        path = name_of(folder, index).encode()
        if statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, answer):
            raise OSError(ctypes.get_errno(), path)


def list_folders(top):
    for index in range(FOLDERS):
        os.listdir("%s/folder%d" % (top, index))


def write_buffered(path):
    with open(path, "wb", buffering=0) as stream:
        for _ in range(LARGE // BLOCK):
            stream.write(b"b" * BLOCK)
        os.fsync(stream.fileno())


def write_direct(path, block):
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_DIRECT)
    for index in range(BLOCKS):
        os.pwrite(file, block, index * BLOCK)
    os.close(file)


def read_direct(path, block):
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    for index in range(BLOCKS):
        os.preadv(file, [block], index * BLOCK)
    os.close(file)


def read_through(file):
    for index in range(LARGE // BLOCK):
        os.pread(file, BLOCK, index * BLOCK)


def read_network(file):
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    read_through(file)


def read_cached(file):
    read_through(file)


def fight(one, two):
    """Neither client may keep anything of the file, while both write."""
    for _ in range(ROUNDS):
        os.pwrite(one, b"1" * 4096, 0)
        os.pread(two, 4096, 0)
        os.pwrite(two, b"2" * 4096, 4096)
        os.pread(one, 4096, 4096)


def remove_files(folder):
    for index in range(FILES):
        os.unlink(name_of(folder, index))


def client_number(folder):
    return int(folder.rsplit("client", 1)[1])


def read_text(path):
    with open(path, encoding="ascii") as stream:
        return stream.read()


def parse_metrics(folder):
    """{read, write, metadata: [number, sum of microseconds]; read_bytes, write_bytes}."""
    result = {}
    texts = [read_text(path) for path in sorted(glob.glob(folder + "/metrics/*"))]
    if os.path.isfile(folder + "/metrics"):
        texts = [read_text(folder + "/metrics")]
    for line in "\n".join(texts).splitlines():
        words = line.split()
        if len(words) == 6 and words[0] in ("read", "write", "metadata"):
            number, mean = int(words[1]), int(words[2])
            if words[0] in result:  # the table of sizes: number, mean, least, most, all bytes
                result[words[0] + "_bytes"] = int(words[5])
            else:
                result[words[0]] = [number, number * mean]
    return result


def clients():
    folders = sorted((path for path in glob.glob(DEBUG + "/*.client*")), key=client_number)
    return [parse_metrics(folder) for folder in folders]


def main(one, two):
    statx = ctypes.CDLL(None, use_errno=True).statx
    block = mmap.mmap(-1, BLOCK)
    block.write(b"d" * BLOCK)
    before = clients()
    top = one + "/work"
    os.mkdir(top)
    make_folders(top)
    fill_folders(top)
    folder = top + "/folder0"
    create_files(folder)
    write_buffered(top + "/buffered")
    write_direct(top + "/direct", block)
    read_direct(top + "/direct", block)
    file = os.open(top + "/buffered", os.O_RDONLY)
    reads = clients()[0].get("read_bytes", 0)
    read_network(file)
    reads = clients()[0].get("read_bytes", 0) - reads
    read_cached(file)
    os.close(file)
    other = two + "/work"
    meet_folders(other)
    open_files(other + "/folder0")
    stat_missing(other + "/folder1")
    stat_files(other + "/folder0", statx)
    list_folders(other)
    with open(top + "/shared", "wb", buffering=0) as stream:
        stream.write(b"0" * 8192)
        os.fsync(stream.fileno())
    first = os.open(top + "/shared", os.O_RDWR)
    second = os.open(other + "/shared", os.O_RDWR)
    os.pread(first, 1, 0)
    os.pread(second, 1, 0)
    time.sleep(1)
    fight(first, second)
    os.close(first)
    os.close(second)
    remove_files(folder)
    os.sync()
    time.sleep(1)  # until removals that nobody waited for are answered
    print(json.dumps({
        "expected": {
            "make_folders": {"mds:mkdir": FOLDERS},
            "fill_folders": {"mds:create": FOLDERS},
            "create_files": {"mds:create": FILES},
            "open_files": {"mds:open": FILES},
            "stat_missing": {"mds:lookup": FILES},
            "stat_files": {"mds:getattr": FILES},
            "list_folders": {"mds:readdir": FOLDERS},
            "write_buffered": {"osd:writeback bytes": LARGE},
            "write_direct": {"osd:write": BLOCKS, "osd:write bytes": BLOCKS * BLOCK},
            "read_direct": {"osd:read": BLOCKS, "osd:read bytes": BLOCKS * BLOCK},
            "read_network": {"osd:read bytes": LARGE},
            "read_cached": {"osd:read bytes": 0},
            "fight": {"osd:write": 2 * ROUNDS, "osd:write bytes": 2 * ROUNDS * 4096,
                      "osd:read": 2 * ROUNDS, "osd:read bytes": 2 * ROUNDS * 4096},
            "remove_files": {"mds:unlink": FILES},
        },
        "on": {
            "create_files mds:create": [FILES, 0],
            "open_files mds:open": [0, FILES],
            "fight osd:write": [ROUNDS, ROUNDS],
            "fight osd:read": [ROUNDS, ROUNDS],
        },
        "reads": {"read:cached": LARGE // BLOCK},
        "uncounted": LARGE - reads,
        "before": before,
        "after": clients(),
        "process": os.getpid(),
    }), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
