# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a recording for the live tests, on purpose without pipescope's own reader."""

import collections
import sqlite3

Frame = collections.namedtuple("Frame", "kind name file first_line module line")
Process = collections.namedtuple(
    "Process",
    "id parent pid start_ns end_ns exit_code exit_signal cpu_ns user_ns system_ns max_rss_bytes"
    " python",
)


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
        """(count, ending, frames, thread) of each distinct sample of the process."""
        for stack, ending, thread, count in self.rows(
            "SELECT stack, ending, thread, SUM(count) FROM sample"
            " WHERE metric = 'cpu' AND epoch IN (SELECT id FROM epoch WHERE process = ?)"
            " GROUP BY stack, ending, thread",
            process.id,
        ):
            yield count, ending, self.frames(stack), thread

    def lost(self):
        """What the recording itself says was lost, of whatever process."""
        return {
            name: value
            for name, value in self.rows("SELECT name, value FROM quality WHERE value > 0")
            if name.startswith("lost_") or name == "stacks_unknown"
        }


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


def is_named(ending, frames):
    """Python frames, complete and all with names."""
    return ending == "python" and bool(python_frames(frames))
