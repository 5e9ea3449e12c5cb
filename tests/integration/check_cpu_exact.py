#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_cpu_exact.py RECORDING OUTPUT: what cpu_exact.c printed against what was recorded."""

import json
import sys

from recording import Checks, Recording

MS = 1_000_000


def near(recorded, expected, share=0.01, least=10 * MS):
    return recorded is not None and abs(recorded - expected) <= max(share * expected, least)


def check_process(checks, recording, expected):
    who = f"{expected['kind']} (pid {expected['pid']})"
    process = recording.process(expected["pid"])
    if not checks.check(process, f"{who} is not in the recording once"):
        return
    print(
        f"{expected['kind']:>12}: {process.cpu_ns / MS:8.2f} ms recorded,"
        f" {expected['cpu_ns'] / MS:8.2f} ms by its own account,"
        f" {(process.cpu_ns - expected['cpu_ns']) / MS:+.2f}"
    )
    checks.check(
        near(process.cpu_ns, expected["cpu_ns"]),
        f"{who}: {process.cpu_ns} ns instead of {expected['cpu_ns']}",
    )
    checks.check(
        process.user_ns + process.system_ns == process.cpu_ns,
        f"{who}: user {process.user_ns} + system {process.system_ns} is not {process.cpu_ns}",
    )
    checks.check(
        (process.end_ns is None) == expected["alive"],
        f"{who}: alive {expected['alive']}, recorded end {process.end_ns}",
    )
    if "user_ns" in expected:
        # The kernel splits by ticks: two readings of the same process differ by some.
        checks.check(
            near(process.user_ns, expected["user_ns"], 0.05, 20 * MS),
            f"{who}: user {process.user_ns} ns instead of {expected['user_ns']}",
        )
        if process.max_rss_bytes is not None:
            checks.check(
                near(process.max_rss_bytes, expected["max_rss_bytes"], 0.1, 1 << 20),
                f"{who}: peak of {process.max_rss_bytes} instead of {expected['max_rss_bytes']}",
            )
    # The same total, however it is cut into slices, epochs and threads.
    for table in "usage", "thread_usage":
        (total,) = recording.rows(
            f"SELECT COALESCE(SUM(cpu_ns), 0) FROM {table}"
            " WHERE epoch IN (SELECT id FROM epoch WHERE process = ?)",
            process.id,
        )[0]
        checks.check(
            near(total, process.cpu_ns, 0.001, MS),
            f"{who}: {table} adds up to {total} instead of {process.cpu_ns}",
        )


def check_thread(checks, recording, expected):
    found = recording.rows(
        "SELECT SUM(thread_usage.cpu_ns), COUNT(DISTINCT thread.id), MAX(thread.end_ns)"
        " FROM thread JOIN process ON process.id = thread.process"
        " LEFT JOIN thread_usage ON thread_usage.thread = thread.id"
        " WHERE tid = ? AND pid = ?",
        expected["tid"],
        expected["pid"],
    )[0]
    who = f"thread {expected['tid']} of {expected['pid']}"
    checks.check(found[1] == 1, f"{who} is in the recording {found[1]} times")
    checks.check(
        near(found[0], expected["cpu_ns"]), f"{who}: {found[0]} ns instead of {expected['cpu_ns']}"
    )
    checks.check(found[2] is not None, f"{who} has no end")


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    with open(sys.argv[2], encoding="utf-8") as stream:
        text = stream.read()
    expected = json.loads(text[text.index("{") :])
    for process in expected["processes"]:
        check_process(checks, recording, process)
    for thread in expected["threads"]:
        check_thread(checks, recording, thread)
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
