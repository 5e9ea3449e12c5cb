# SPDX-License-Identifier: GPL-2.0-or-later
"""gil_holders.py SECONDS: one thread keeps CPython's interpreter lock, another one wants it now and then.

Waits until stdin has a line before it begins, and until stdin ends before it ends. Prints as JSON its threads' ids and how
often the second one had to wait."""

import json
import os
import sys
import threading
import time


def greedy(end):
    while time.perf_counter() < end:
        count(20000)


def count(number):
    while number:
        number -= 1


def modest(end, tell):
    waits = 0
    while time.perf_counter() < end:
        time.sleep(0.003)
        waits += 1
    tell.append(waits)


def main():
    print(json.dumps({"pid": os.getpid()}), flush=True)
    sys.stdin.readline()
    end = time.perf_counter() + float(sys.argv[1])
    tell = []
    threads = [threading.Thread(target=greedy, args=(end,)), threading.Thread(target=modest, args=(end, tell))]
    for thread in threads:
        thread.start()
    tids = [thread.native_id for thread in threads]
    for thread in threads:
        thread.join()
    print(json.dumps({"pid": os.getpid(), "greedy": tids[0], "modest": tids[1], "waits": tell[0]}), flush=True)
    sys.stdin.read()


main()
