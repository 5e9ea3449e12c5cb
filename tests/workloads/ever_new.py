#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a recorder has never met, all the time: sources that are compiled, the programs they make, a
module of Python that is imported once, files of new names, shells.

    ever_new.py SECONDS PER_MINUTE DIRECTORY
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time


def c_source(name):
    """A program of 20 functions that nobody else has."""
    functions = [
        f"int f_{name}_{i}(int x) {{ for (int k = 0; k < 100000; k++) x += k ^ x; return x; }}"
        for i in range(20)
    ]
    calls = "".join(f"s += f_{name}_{i}(s);" for i in range(20))
    return "\n".join(functions) + f"\nint main(void) {{ int s = 0; {calls} return s == 42; }}\n"


def python_source(name):
    functions = [
        f"def g_{name}_{i}(x):\n    return sum(k ^ x for k in range(3000))" for i in range(20)
    ]
    calls = [f"g_{name}_{i}(3)" for i in range(20)]
    return "\n".join(functions + calls) + "\n"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def one_round(directory, name):
    path = os.path.join(directory, f"d_{name}")
    os.mkdir(path)
    program = os.path.join(path, f"program_{name}")
    if shutil.which("cc"):
        write(program + ".c", c_source(name))
        subprocess.call(["cc", "-g", "-O1", "-o", program, program + ".c"])
        subprocess.call([program])
    write(os.path.join(path, f"module_{name}.py"), python_source(name))
    write(os.path.join(path, f"main_{name}.py"), f"import json, re, module_{name}\n")
    subprocess.call([sys.executable, os.path.join(path, f"main_{name}.py")])
    script = "for i in 1 2 3 4 5; do ls . >out.$i; cat out.$i; done >/dev/null"
    subprocess.call(["sh", "-c", script], cwd=path)
    shutil.rmtree(path)


def main():
    end = time.monotonic() + float(sys.argv[1])
    pause_s = 60 / float(sys.argv[2])
    directory = tempfile.mkdtemp(prefix="ever-new.", dir=sys.argv[3])
    number = 0
    while time.monotonic() < end:
        began = time.monotonic()
        number += 1
        one_round(directory, f"{os.getpid()}_{number}")
        time.sleep(max(0.0, pause_s - (time.monotonic() - began)))
    shutil.rmtree(directory)


main()
