# SPDX-License-Identifier: GPL-2.0-or-later
"""thread_pool.py TASKS FILE: a worker as Celery and joblib have them: threads take tasks off a queue.

Each task is a function's name and its arguments, and says in a log when it is received and when it has succeeded. Several
run at once. Prints what a recording must hold, a line a task.
"""
import json
import os
import queue
import resource
import sys
import threading
import time

THREADS = 3
BLOCK = 65536

log = os.open(os.devnull, os.O_WRONLY)
results = []


def square(seconds, blocks, path):
    """Uses the CPU, reads, and sleeps."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(number * number for number in range(500))
    with open(path, "rb", buffering=0) as stream:
        for _ in range(blocks):
            stream.read(BLOCK)
    time.sleep(0.05)


def cube(seconds, blocks, path):
    square(seconds, blocks, path)


FUNCTIONS = {"square": square, "cube": cube}


class Task:
    def __init__(self, name, number):
        self.name = "survey.tasks." + name
        self.id = "task-%04d" % number
        self.keywords = {"seconds": 0.02 + 0.01 * (number % 3), "blocks": 1 + number % 4, "path": sys.argv[2]}


def run_task(task, retries):
    task.began = resource.getrusage(resource.RUSAGE_THREAD), time.thread_time(), time.time()
    os.write(log, b"Task received\n")
    FUNCTIONS[task.name.rsplit(".", 1)[-1]](**task.keywords)
    return retries


def run(task):
    # Another thread may get the interpreter anywhere: it begins between two times.
    called = time.time()
    run_task(task, 0)
    end = time.time()
    # Until the next system call only samples find the quantum's end.
    while time.time() < end + 0.001:
        pass
    cpu, after = time.thread_time(), resource.getrusage(resource.RUSAGE_THREAD)
    os.write(log, b"Task succeeded\n")
    before, cpu_before, start = task.began
    results.append({
        "pid": os.getpid(), "tid": threading.get_native_id(), "id": task.id, "label": task.name.rsplit(".", 1)[-1], "called": called, "start": start, "end": end,
        "cpu": cpu - cpu_before, "blocks": task.keywords["blocks"], "bytes": BLOCK * task.keywords["blocks"],
        "voluntary_switches": after.ru_nvcsw - before.ru_nvcsw, "minor_faults": after.ru_minflt - before.ru_minflt})


def work(tasks):
    while True:
        task = tasks.get()
        if task is None:
            return
        run(task)
        # What it does between tasks is its own.
        end = time.thread_time() + 0.01
        while time.thread_time() < end:
            sum(range(500))


def main():
    tasks = queue.Queue()
    workers = [threading.Thread(target=work, args=(tasks,)) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    for number in range(int(sys.argv[1])):
        tasks.put(Task("cube" if number % 2 else "square", number))
    for _ in workers:
        tasks.put(None)
    for worker in workers:
        worker.join()
    time.sleep(0.1)
    for result in results:
        print(json.dumps(result))


main()
