#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_choices.py PIPESCOPE FOLDER [--full]: --metric, --by and --where mean the same in every report
and export: what one format refuses for its keys all refuse, with the same reason; what is not
refused has the same sum everywhere. Without --full a part of the combinations."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import synthetic
from check_exports import Pprof, total_of_speedscope

NAMES = [b"one", b"two", b"three"]
KEYS = ("task quantum dataid.field subtask process thread job time function line module stack wait "
        "waker op file mount fs dataset ceph remote service ending outermost").split()
# Metric: column of the report's table, what one of it is in the exports' units.
METRICS = {"cpu": ("cpu_s", 1e9), "samples": ("samples", 1), "offcpu": ("offcpu_s", 1e9),
           "waits": ("wait_count", 1), "io_time": ("io_s", 1e9), "read_bytes": ("read_bytes", 1),
           "write_bytes": ("write_bytes", 1), "ops": ("op_count", 1), "errors": ("error_count", 1),
           "waited": ("waited_s", 1e9), "ceph_time": ("ceph_s", 1e9), "ceph_ops": ("ceph_op_count", 1),
           "ceph_read_bytes": ("ceph_read_bytes", 1), "ceph_write_bytes": ("ceph_write_bytes", 1),
           "rss_growth": ("rss_growth_bytes", 1), "faults": ("fault_count", 1),
           "mmap_live": ("mmap_live_bytes", 1), "mmap_peak": ("mmap_peak_bytes", 1)}
WHERES = [[], ["--where", "task=one"], ["--where", "function=t*"]]
# These add the stack to the keys, so they may refuse more; but not less.
OF_STACKS = ("collapsed", "speedscope", "pprof")
OTHERS = ("perfetto", "pstats", "dot")

failures = []
refused = compared = 0


def fail(text):
    failures.append(text)
    print("FAIL:", text)


class Runner:
    def __init__(self, program, recording):
        self.program, self.recording = program, recording

    def run(self, command, form, options):
        """(output, None), or (None, reason); what is refused must say so, and nothing else."""
        done = subprocess.run([self.program, command, self.recording, "--format", form, *options],
                              capture_output=True, check=False)
        words = done.stderr.decode()
        if done.returncode == 0:
            if words:
                fail(f"{command} {form} {options}: says {words!r}")
            return done.stdout, None
        if done.returncode != 2 or done.stdout or len(words) < 30 or "rror" in words[:20]:
            fail(f"{command} {form} {options}: status {done.returncode}, {words!r}")
        return None, words.split("\n", maxsplit=1)[0].split(": ", 1)[-1]


def column_sum(text, column):
    rows = list(csv.DictReader(io.StringIO(text.decode(), newline="")))
    if not rows or column not in rows[0]:
        return None if rows else 0.0
    return sum(float(row[column] or 0) for row in rows)


def json_sum(data, column):
    rows = next((value for value in json.loads(data).values()
                 if isinstance(value, list) and value and isinstance(value[0], dict) and
                 column in value[0]), [])
    return sum(row[column] or 0 for row in rows)


def total_of(form, data, metric):
    if form == "collapsed":
        total = sum(int(line.rsplit(" ", 1)[1]) for line in data.decode().splitlines())
        return total * (1e3 if METRICS[metric][1] != 1 else 1)
    if form == "speedscope":
        return total_of_speedscope(data, None)
    if form == "pprof":
        profile = Pprof(data)
        return sum(values[profile.types.index(metric)] for _, values, _ in profile.samples)
    return float(re.search(rb'^\tcomment="total (\d+)";$', data, re.M)[1])


def compare(what, total, wanted, factor):
    if abs(total - wanted) > (2000 if factor != 1 else 3):
        fail(f"{what}: {total}, but the table's sum is {wanted}")


def look(runner, by, metric, where):
    """One choice in every format."""
    global refused, compared
    column, factor = METRICS[metric]
    options = ["--by", ",".join(by), "--metric", metric, *where]
    what = " ".join(options)
    table, reason = runner.run("report", "csv", options)
    for command, form in (("export", "csv"), ("report", "json"), ("report", "text")):
        other, other_reason = runner.run(command, form, options)
        if other_reason != reason:
            fail(f"{command} {form} {what}: {other_reason!r}, but the table: {reason!r}")
        if form == "csv" and other != table:
            fail(f"export csv {what}: another table than the report's")
    if table is None:
        refused += 1
    wanted = column_sum(table, column) if table is not None else None
    if table is not None and wanted is None:
        fail(f"{what}: the table has no column {column}")
    for form in OF_STACKS + OTHERS:
        data, other_reason = runner.run("export", form, options)
        if data is None:
            continue
        # What formats of stacks add themselves, the table would have to be asked for.
        if table is None and form in OF_STACKS and "nor with thread" not in reason and \
                "thread alone" not in reason:
            fail(f"{form} {what}: not refused, but the table says {reason!r}")
        elif wanted is not None and form in OF_STACKS + ("dot",):
            compared += 1
            compare(f"{form} {what}", total_of(form, data, metric), wanted * factor, factor)


def main():
    program, folder = sys.argv[1:3]
    full = "--full" in sys.argv
    path = os.path.join(folder, "choices.rec")
    schema = subprocess.run([program, "schema"], check=True, stdout=subprocess.PIPE).stdout
    synthetic.make(path, schema.decode(), NAMES)
    runner = Runner(program, path)
    choices = [([key], metric, where) for key in KEYS for metric in METRICS for where in WHERES]
    choices += [(by.split(","), metric, []) for metric in METRICS for by in
                ("task,function", "time,process", "file,op", "thread,time", "wait,waker")]
    for by, metric, where in choices if full else choices[::29]:
        look(runner, by, metric, where)
    print(f"  {refused} of {len(choices if full else choices[::29])} choices refused; "
          f"{compared} exports have the table's sum")
    if not compared or not refused:
        fail("nothing was compared")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
