#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""io_storms.py FOLDER: very many small operations, each kind from one line, and look-ups of what is
not there. Prints which line makes which, and how many."""

import json
import os
import socket
import sys

SMALL_READS = 30000
STATS = 20000
MESSAGES = 5000
LOOKED_FOR = 150


def small_reads(path):
    descriptor = os.open(path, os.O_RDONLY)
    for _ in range(SMALL_READS):
        os.pread(descriptor, 64, 0)  # storm of small reads
    os.close(descriptor)


def stats(path):
    for _ in range(STATS):
        os.stat(path)  # storm of stats


def messages():
    """Small, and very many, but on no file system."""
    out, into = os.pipe()
    one, other = socket.socketpair()
    for _ in range(MESSAGES):
        os.write(into, b"four")
        os.read(out, 4)
        one.send(b"ten bytes.")
        other.recv(10)


def look_for(folder):
    """As data-set look-ups and imports do: many names, in each of several folders."""
    folders = [os.path.join(folder, name) for name in ("first", "second")]
    for number in range(LOOKED_FOR):
        for one in folders:
            try:
                os.open(os.path.join(one, "plugin_%d.py" % number), os.O_RDONLY)
            except FileNotFoundError:
                pass
            os.path.exists(os.path.join(one, "plugin_%d.py" % number))
    return folders


def main():
    folder = os.path.realpath(sys.argv[1])
    path = os.path.join(folder, "data")
    for name in ("first", "second"):
        os.mkdir(os.path.join(folder, name))
    with open(path, "wb") as stream:
        stream.write(b"x" * 4096)
    small_reads(path)
    stats(path)
    messages()
    folders = look_for(folder)
    with open(__file__, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    where = {}
    for what in ("small reads", "stats"):
        number = [i + 1 for i, line in enumerate(lines) if line.endswith("# storm of " + what)]
        where[what] = "%s:%d" % (os.path.basename(__file__), number[0])
    print(json.dumps({"lines": where, "reads": SMALL_READS, "stats": STATS, "folders": folders,
                      "absent": 2 * LOOKED_FOR, "names": LOOKED_FOR}))


if __name__ == "__main__":
    main()
