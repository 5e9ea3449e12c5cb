#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""paths.py FOLDER: reads files by all kinds of ways to them, each another number of bytes, and prints
under which path each number must be found. FOLDER/real is mounted on FOLDER/bound, too. Must be root,
for chroot."""

import json
import os
import sys
import time

MANY = 90000
expected = []


def write(path, size):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(descriptor, b"x" * size)
    os.close(descriptor)


def read(path, size, found_at):
    descriptor = os.open(path, os.O_RDONLY)
    assert len(os.pread(descriptor, size, 0)) == size, path
    os.close(descriptor)
    expected.append({"op": "read", "bytes": size, "file": found_at})


def look_for(path, number, found_at):
    for _ in range(number):
        try:
            os.stat(path)
        except FileNotFoundError:
            pass
    expected.append({"op": "stat", "count": number, "file": found_at})


def look_for_many(folder, found_at):
    """More than there is room for in a slice."""
    for number in range(MANY):
        try:
            os.stat(folder + str(number))
        except FileNotFoundError:
            pass
    expected.append({"op": "stat", "count": MANY, "below": found_at})


def next_slice():
    time.sleep(2.2)  # longer than a slice that ends late


def in_chroot(folder):
    """In a child: there is no way back."""
    jail = folder + "/jail"
    told, end = os.pipe()
    if os.fork() == 0:
        os.chroot(jail)
        os.chdir("/lower")
        write("/inside", 1000)
        read("/inside", 301, jail + "/inside")
        read("by cwd", 302, jail + "/lower/by cwd")
        look_for("/absent", 11, jail + "/absent")
        look_for("absent", 12, jail + "/lower/absent")
        look_for_many("/lower/many/", jail + "/lower/many")
        os.write(end, json.dumps(expected).encode())
        os._exit(0)
    os.wait()
    expected[:] = json.loads(os.read(told, 65536))


def main():
    folder = os.path.realpath(sys.argv[1])
    for name in ("jail", "jail/lower", "first", "first/below", "elsewhere"):
        os.mkdir(folder + "/" + name)
    write(folder + "/jail/lower/by cwd", 1000)
    os.chdir(folder)

    # through a bind mount, and not
    write("real/by real", 1000)
    write("bound/by bound", 1000)
    read("real/by real", 101, folder + "/real/by real")
    read("bound/by bound", 102, folder + "/bound/by bound")
    look_for("bound/absent", 13, folder + "/bound/absent")
    look_for(folder + "/bound/absent", 14, folder + "/bound/absent")

    # renamed: at once, later, into another folder, with its folder
    for number in (201, 202, 203, 204, 205):
        write("first/below/%d" % number, 1000)
    os.rename("first/below/201", "first/below/201 renamed")
    read("first/below/201 renamed", 201, folder + "/first/below/201 renamed")
    read("first/below/202", 212, folder + "/first/below/202")
    read("first/below/204", 214, folder + "/first/below/204")
    next_slice()
    os.rename("first/below/202", "first/below/202 renamed")
    read("first/below/202 renamed", 202, folder + "/first/below/202 renamed")
    os.rename("first/below/203", "elsewhere/203")
    read("elsewhere/203", 203, folder + "/elsewhere/203")
    next_slice()
    os.rename("first", "second")
    next_slice()
    read("second/below/204", 204, folder + "/second/below/204")
    read("second/below/205", 205, folder + "/second/below/205")

    # folders, however their paths are spelt
    spelt = (("./a.tmp", "./a"), ("b.tmp/", "b"),
             (folder + "//c.tmp", "..//%s//c/" % os.path.basename(folder)))
    for number, (old, _) in enumerate(spelt):
        os.mkdir(old)
        write(old + "/file", 1000)
        read(old + "/file", 501 + number, os.path.normpath(folder + "/" + os.path.basename(
            os.path.normpath(old))) + "/file")
    next_slice()
    for old, new in spelt:
        os.rename(old, new)
    next_slice()
    for number, (_, new) in enumerate(spelt):
        read(new + "/file", 511 + number, folder + "/" + os.path.basename(
            os.path.normpath(new)) + "/file")

    # deleted, while it is open; and another one of its name
    write("deleted", 1000)
    descriptor = os.open("deleted", os.O_RDONLY)
    os.unlink("deleted")
    os.pread(descriptor, 401, 0)
    expected.append({"op": "read", "bytes": 401, "file": folder + "/deleted"})
    write("deleted", 1000)
    read("deleted", 402, folder + "/deleted")
    os.close(descriptor)

    look_for_many(folder + "/many/", folder + "/many")
    next_slice()
    in_chroot(folder)
    next_slice()
    print(json.dumps(expected))


if __name__ == "__main__":
    main()
