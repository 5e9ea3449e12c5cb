# SPDX-License-Identifier: GPL-2.0-or-later
"""top_work.py SECONDS FILE [OTHER...]: what a live view must show: a function hot_loop with half of the CPU time, in it a
function of 4,000 characters whose name a terminal could take for commands; threads that wait for a lock; a file that
is read over and over, and others that are read once in a while.
"""
import sys
import threading
import time

END = time.monotonic() + float(sys.argv[1])
NAME = "evil\x1b[31m\x1b]0;title\x07\u202e<script>\"'\n" + "T" * 4000


def rename(function):
    names = {key: NAME for key in ("co_name", "co_qualname") if hasattr(function.__code__, key)}
    function.__code__ = function.__code__.replace(**names)
    return function


@rename
def inner():
    return sum(i * i for i in range(3000))


def hot_loop():
    for _ in range(20):
        inner()
        sum(range(30000))


def read_file():
    with open(sys.argv[2], "rb") as stream:
        for _ in range(50):
            stream.seek(0)
            stream.read()


def read_others():
    for path in sys.argv[3:]:
        with open(path, "rb") as stream:
            stream.read()


def wait_for(lock):
    while time.monotonic() < END:
        with lock:
            pass
        time.sleep(0.01)


def main():
    lock = threading.Lock()
    waiter = threading.Thread(target=wait_for, args=(lock,), name="bad\x1b[2Jname")
    waiter.start()
    while time.monotonic() < END:
        with lock:
            hot_loop()
            read_file()
            read_others()
        time.sleep(0.001)
    waiter.join()


main()
