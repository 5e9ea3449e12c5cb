# SPDX-License-Identifier: GPL-2.0-or-later
"""switching.py LIBRARY KIND COUNT: calls.c, built as a library whose main() is calls_main(), within a quantum.

tests/workloads/resources.rules names the function. Prints what calls.c prints."""
import ctypes
import resource
import sys
import time


def run_job(job_id, name, count):
    resource.getrusage(resource.RUSAGE_SELF)
    words = [b"calls", sys.argv[2].encode(), str(count).encode()]
    arguments = (ctypes.c_char_p * 4)(*words, None)
    if count and ctypes.CDLL(sys.argv[1]).calls_main(3, arguments):
        sys.exit("calls_main failed")


for number, count in enumerate((0, 0, int(sys.argv[3]))):
    time.sleep(0.2)
    run_job("job-%d" % number, "switching", count)
    resource.getrusage(resource.RUSAGE_SELF)
