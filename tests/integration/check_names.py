#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_names.py PIPESCOPE FOLDER: names made to harm, in every place that a recording has for one,
come out of every report and export right and harmless."""

import csv
import io
import json
import os
import pstats
import re
import subprocess
import sys
import unicodedata

import synthetic
from check_exports import Pprof, Trace

LONG = b"4000" + b"y" * 3992 + b"last"
NAMES = [
    b'=cmd|"/c calc"!A1', b"+1+1", b"-2+3", b"@SUM(A1)", b"\t=1", b"\r=1",
    b"<script>alert(1)</script>", b"</script><img src=x onerror=alert(1)>", b"&lt;&#60;",
    b"a\"b'c\\d;e,f|g", b"new\nline\r\nfn=x 1 2", b"\x1b]0;title\x07\x1b[2J\x1b[31m", b"\x7f\x08\x01",
    "\u009b31m\u0085\u2028\u202e".encode(), b"\xff\xfe not utf-8 \xc3( \xed\xa0\x80 \xf8", LONG,
    b" blanks  ", b"%s%n%d", b"../../etc/passwd", "\u6f22\u5b57 \u00e9".encode(),
]
KEYS = ("task quantum dataid.field process thread job time function line module stack wait op file "
        "mount fs dataset ceph remote service ending outermost").split()

failures = []


def fail(text):
    failures.append(text)
    print("FAIL:", text)


def readable(name):
    return name.decode("utf-8", "replace")


class Runner:
    def __init__(self, program, recording):
        self.program, self.recording = program, recording

    def run(self, command, *options, expected=0):
        environment = dict(os.environ, LC_ALL="C.UTF-8")
        done = subprocess.run([self.program, command, self.recording, *options],
                              capture_output=True, check=False, env=environment)
        if done.returncode != expected:
            fail(f"{command} {options}: status {done.returncode}: {done.stderr[:200]}")
        return done.stdout


def is_harmless(text):
    """For a terminal: no control characters but the ends of lines."""
    return all(each == "\n" or unicodedata.category(each) != "Cc" for each in text)


def check_text(what, data):
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        fail(f"{what}: {error}")
        return
    if not is_harmless(text):
        bad = sorted({hex(ord(c)) for c in text if c != "\n" and unicodedata.category(c) == "Cc"})
        fail(f"{what}: control characters {bad}")
    if not text:
        fail(f"{what}: nothing")


def is_number(cell):
    return re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", cell) is not None


def check_csv(what, data):
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        fail(f"{what}: no table")
    for cell in (cell for row in rows for cell in row):
        if cell and cell[0] in "=+-@\t\r" and not is_number(cell):
            fail(f"{what}: a formula: {cell[:40]!r}")
            return


def all_texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from all_texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from all_texts(each)


def check_reports(runner):
    commands = [("report",)] + [("report", "--by", key) for key in KEYS + ["torn", "node"]] + \
        [("quanta",)]
    for command, *options in commands:
        name = " ".join((command, *options))
        check_text(name, runner.run(command, *options, "-n", "0") if "node" not in options
                   else runner.run(command, *options))
        json.loads(runner.run(command, *options, "--format", "json"))
        if command != "report" or options:
            check_csv(name, runner.run(command, *options, "--format", "csv"))


def check_json(runner):
    """Names are what they were, whole; what is no UTF-8 has marks instead."""
    for key in ("task", "function", "file"):
        texts = set(all_texts(json.loads(runner.run("report", "--by", key, "--format", "json",
                                                    "-n", "0"))))
        for name in NAMES:
            wanted = "/" + readable(name) if key == "file" else readable(name)
            if name.isascii() and wanted not in texts:
                fail(f"json by {key} has no {wanted[:40]!r}")
        if not any("not utf-8" in text for text in texts):
            fail(f"json by {key} has not what is no UTF-8")


def check_collapsed(data):
    check_text("collapsed", data)
    lines = data.decode().splitlines()
    if len(data.decode().split("\n")) != len(lines) + 1:
        fail("collapsed: characters that some take for the end of a line")
    if not all(re.search(r" \d+$", line) for line in lines) or len(lines) != len(NAMES):
        fail(f"collapsed: {len(lines)} lines of {len(NAMES)}")


def check_dot(data, folder):
    text = data.decode()
    if not is_harmless(text.replace("\t", "")):
        fail("dot: control characters")
    path = os.path.join(folder, "names.dot")
    with open(path, "wb") as stream:
        stream.write(data)
    try:
        done = subprocess.run(["dot", "-Tsvg", path], capture_output=True, check=False)
    except FileNotFoundError:
        print("    no graphviz: dot is not drawn")
        return
    if done.returncode or done.stderr or b"<script" in done.stdout or b"<img" in done.stdout:
        fail(f"graphviz: {done.returncode} {done.stderr[:200]}")


def check_exports(runner, folder):
    formats = {form: runner.run("export", "--format", form) for form in
               ("collapsed", "speedscope", "pprof", "perfetto", "pstats", "dot", "csv")}
    check_collapsed(formats["collapsed"])
    check_dot(formats["dot"], folder)
    check_csv("export csv", formats["csv"])
    texts = set(all_texts(json.loads(formats["speedscope"])))
    profile = Pprof(formats["pprof"])
    Trace(formats["perfetto"])
    path = os.path.join(folder, "names.prof")
    with open(path, "wb") as stream:
        stream.write(formats["pstats"])
    functions = {function for _, _, function in pstats.Stats(path).stats}
    for name in (name for name in NAMES if name.isascii()):
        if readable(name) not in texts:
            fail(f"speedscope has no {name[:40]!r}")
        if readable(name) not in profile.texts:
            fail(f"pprof has no {name[:40]!r}")
        if name.isalnum() and readable(name) not in functions:
            fail(f"pstats has no {name[:40]!r}")


def main():
    program, folder = sys.argv[1:3]
    path = os.path.join(folder, "names.rec")
    schema = subprocess.run([program, "schema"], check=True, stdout=subprocess.PIPE).stdout
    synthetic.make(path, schema.decode(), NAMES)
    runner = Runner(program, path)
    check_reports(runner)
    check_json(runner)
    check_exports(runner, folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
