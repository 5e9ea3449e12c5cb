# SPDX-License-Identifier: GPL-2.0-or-later
"""worker.py JOBS PAUSE: a worker of no particular pipeline: takes jobs off a pipe and runs each for 50 ms.

Its jobs' ids and names are made anew for each, as strings often are: one may lie where the last one lay. Prints what a
recording must hold, like middleware/pipetask.py.
"""
import json
import os
import sys
import time


def run_job(job_id, name, arguments):
    os.read(arguments["input"], 1)  # its input
    end = time.process_time() + 0.03
    while time.process_time() < end:
        sum(range(2000))
    time.sleep(0.02)


def main():
    reading, writing = os.pipe()
    os.write(writing, b"x" * 2 * int(sys.argv[1]))
    for number in range(int(sys.argv[1])):
        os.read(reading, 1)  # the job
        start, cpu = time.time(), time.process_time()
        run_job("job-%04d" % number, "sum" if number % 2 else "product", {"shard": number % 7, "input": reading})
        end, cpu = time.time(), time.process_time() - cpu
        os.write(1, (json.dumps({
            "what": "quantum", "pid": os.getpid(), "number": number, "start": start, "end": end, "cpu": cpu,
            "label": "sum" if number % 2 else "product", "class": None, "run": None, "id": "job-%04d" % number,
            "dataid": {"shard": str(number % 7)}}) + "\n").encode())
        time.sleep(float(sys.argv[2]))
    time.sleep(0.1)


main()
