#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_memory_events.py RECORDING FOLDER: what limited.py told in FOLDER against the recording."""

import json
import os
import sys

from recording import Checks, Recording

LIMIT = 64 << 20  # of the control group


def told(name):
    path = os.path.join(sys.argv[2], name)
    if not os.path.exists(path) or not os.path.getsize(path):
        return None
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def events_of(recording, process, kind):
    return recording.rows(
        "SELECT COALESCE(SUM(count), 0), COALESCE(SUM(bytes), 0) FROM memory_event"
        " WHERE kind = ? AND epoch IN (SELECT id FROM epoch WHERE process = ?)", kind, process.id)[0]


def check_touch(recording, checks, output):
    process = recording.process(output["pid"])
    rows = recording.rows(
        "SELECT file.path, SUM(io.count) FROM io JOIN file ON file.id = io.file"
        " WHERE op = 'major_fault' AND epoch IN (SELECT id FROM epoch WHERE process = ?) GROUP BY file.path",
        process.id)
    found = dict(rows).get(output["path"], 0)
    checks.check(output["major_faults"] > 0.9 * output["pages"], "the file was in memory: %s" % output)
    checks.check(found == output["major_faults"], "%d major faults of the file, not %d; %s" % (
        found, output["major_faults"], rows))
    counted = recording.rows(
        "SELECT SUM(major_faults) FROM memory WHERE epoch IN (SELECT id FROM epoch WHERE process = ?)",
        process.id)[0][0]
    print("touch: %d major faults of the file (of %d pages), %d of the process by the kernel" % (
        found, output["pages"], counted))
    checks.check(sum(count for _, count in rows) <= counted, "more by file than the process had")


def check_read(recording, checks, output):
    """What did not fit into the group had to be freed, by whom it was in the way of."""
    count, bytes_ = events_of(recording, recording.process(output["pid"]), "reclaim")
    wanted = output["bytes"] - LIMIT
    print("read: freed %d times, %.1f MiB, at least %.1f were to be" % (count, bytes_ / 2**20, wanted / 2**20))
    checks.check(count > 0 and wanted <= bytes_ <= 1.5 * output["bytes"], "freed %d, not %d" % (bytes_, wanted))


def check_eat(recording, checks, output):
    process = recording.process(output["pid"])
    count, _ = events_of(recording, process, "oom_kill")
    print("eat: %d kill, by signal %s" % (count, process.exit_signal))
    checks.check(count == 1 and process.exit_signal == 9, "killed %d times" % count)
    checks.check(recording.rows("SELECT COUNT(*) FROM memory_event WHERE kind = 'oom_kill'")[0][0] == 1,
                 "somebody else was killed too")


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    check_touch(recording, checks, told("touch.json"))
    read, eaten = told("read.json"), told("eat.json")
    if read:
        check_read(recording, checks, read)
    if eaten:
        check_eat(recording, checks, eaten)
    checks.check(not recording.lost(), "lost: %s" % recording.lost())
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
