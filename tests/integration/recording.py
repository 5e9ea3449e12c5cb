# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a recording for the live tests, on purpose without pipescope's own reader."""

import collections
import os
import re
import sqlite3

Frame = collections.namedtuple("Frame", "kind name file first_line module line")
Process = collections.namedtuple(
    "Process",
    "id parent pid start_ns end_ns exit_code exit_signal cpu_ns user_ns system_ns max_rss_bytes"
    " python",
)

MOST_UNAVOIDABLE = 5000  # see Recording.unavoidable


class Recording:
    def __init__(self, path):
        self.database = sqlite3.connect("file:%s?mode=ro" % path, uri=True)
        self.meta = dict(self.rows("SELECT key, value FROM meta"))
        self._frames = {
            row[0]: Frame(*row[1:])
            for row in self.rows(
                "SELECT frame.id, kind, name, file, function.line, module, frame.line"
                " FROM frame JOIN function ON function.id = frame.function"
            )
        }
        self._ok_endings = None
        self._stacks = {
            row[0]: row[1:] for row in self.rows("SELECT id, parent, frame FROM stack")
        }

    def rows(self, statement, *values):
        return self.database.execute(statement, values).fetchall()

    def processes(self, pid):
        return [
            Process(*row)
            for row in self.rows(
                "SELECT %s FROM process WHERE pid = ?" % ", ".join(Process._fields), pid
            )
        ]

    def process(self, pid):
        """The only one with the pid; None when there is not exactly one."""
        found = self.processes(pid)
        return found[0] if len(found) == 1 else None

    def frames(self, stack):
        """From the innermost to the outermost."""
        result = []
        while stack is not None:
            stack, frame = self._stacks[stack]
            result.append(self._frames[frame])
        return result

    def samples(self, process):
        """(count, ending, frames, thread) of each distinct CPU sample of the process."""
        for stack, ending, thread, count, _ in self.sample_rows(process, "cpu"):
            yield count, ending, self.frames(stack), thread

    def sample_rows(self, process, metric):
        """(stack, ending, thread, count, value) of each distinct sample."""
        return self.rows(
            "SELECT stack, ending, thread, SUM(count), SUM(value) FROM sample"
            " WHERE metric = ? AND epoch IN (SELECT id FROM epoch WHERE process = ?)"
            " GROUP BY stack, ending, thread",
            metric,
            process.id,
        )

    def is_whole(self, ending, frames, executable):
        """Whether a stack has all callers, kernel frames apart. A process or thread on its way out has
        no user stack."""
        if self._ok_endings is None:
            self._ok_endings = {name for name, in self.rows("SELECT name FROM ending WHERE ok")}
        user = [frame for frame in frames if frame.kind != "kernel"]
        if ending in ("exiting", "kernel_thread"):
            return not user
        return ending in self._ok_endings and reaches_bottom(user, executable)

    def unavoidable(self):
        """Events that the kernel has left out. Since Linux 7.0 it does when a task is preempted at the
        wrong moment."""
        missed = dict(self.rows("SELECT name, value FROM quality")).get("lost_runs", 0)
        recent = int(self.meta["kernel"].split(".")[0]) >= 7
        return missed if recent and missed <= MOST_UNAVOIDABLE else 0

    def lost(self):
        """What the recording itself says was lost, of whatever process."""
        lost = {
            name: value
            for name, value in self.rows("SELECT name, value FROM quality WHERE value > 0")
            if name.startswith("lost_") or name == "stacks_unknown"
        }
        if self.unavoidable():
            del lost["lost_runs"]
        return lost


class Checks:
    """Prints what fails, and remembers that something did."""

    def __init__(self):
        self.failed = 0

    def check(self, condition, message):
        if not condition:
            self.failed += 1
            print("FAIL: " + message)
        return condition

    def exit_status(self):
        return 1 if self.failed else 0


def python_frames(frames):
    return [frame for frame in frames if frame.kind == "python"]


# Where a thread begins. A stripped file has no names for it.
FIRST = re.compile(r"(_start|_*(GI_*)?clone3?)$")


def reaches_bottom(frames, executable):
    """Whether the outermost frame is the one that the kernel, or the C library for a thread, began.

    executable: its path; another program, or a loader, needs names."""
    outermost = frames[-1] if frames else None
    if outermost is None or outermost.kind not in ("native", "interpreter"):
        return False
    if FIRST.match(outermost.name.split("@")[0]):
        return True
    module = os.path.basename(outermost.module)
    files = (os.path.basename(executable), "libc.so.6", "ld-linux-x86-64.so.2")
    return module in files and ("+0x" in outermost.name or outermost.name == "[%s]" % module)


def short_name(name):
    """What C++ source calls a function: "void a::b<2>::c(int)" is "c"."""
    name = name.replace("(anonymous namespace)::", "")
    depth = 0
    part = ""
    for char in name:
        if char == "(" and depth == 0 and part and part != "operator":
            break
        if char in " :" and depth == 0:
            part = ""
            continue
        depth += (char in "<(") - (char in ">)")
        part += char
    return part


def is_named(ending, frames):
    """Python frames, complete and all with names."""
    return ending == "python" and bool(python_frames(frames))
