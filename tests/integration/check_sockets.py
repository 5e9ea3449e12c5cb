#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_sockets.py RECORDING OUTPUT REPORT [counts]: what sockets.py printed against the recording.

REPORT is what `pipescope report RECORDING --by remote --format json` printed. counts: no times, for
an emulated CPU: when its host takes it away, the guest's clocks charge that to anybody."""

import json
import sys

from recording import Checks, Recording

COUNTS = len(sys.argv) > 4
WAITED = 0.05  # allowed error of a wait: the clocks around it are read outside of the call


def main():
    recording = Recording(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as stream:
        expected = json.loads(stream.read().splitlines()[-1])
    with open(sys.argv[3], encoding="utf-8") as stream:
        rows = {row["remote"]: row for row in json.load(stream)["rows"]}
    checks = Checks()
    process = recording.process(expected["pid"])
    own = "epoch IN (SELECT id FROM epoch WHERE process = %d)" % process.id
    found = {
        path: row
        for path, *row in recording.rows(
            "SELECT path, SUM(CASE WHEN op = 'read' THEN bytes ELSE 0 END),"
            " SUM(CASE WHEN op = 'write' THEN bytes ELSE 0 END), SUM(count),"
            " SUM(CASE WHEN error THEN count ELSE 0 END)"
            " FROM io JOIN file ON file.id = io.file WHERE kind = 'socket' AND %s GROUP BY path" % own
        )
    }
    waited = dict(
        recording.rows(
            "SELECT path, SUM(wait_on.ns) / 1e9 FROM wait_on JOIN file ON file.id = wait_on.file"
            " WHERE kind = 'socket' AND %s GROUP BY path" % own
        )
    )
    classes = dict(
        recording.rows("SELECT class, SUM(ns) / 1e9 FROM wait WHERE %s GROUP BY class" % own)
    )
    named = dict(recording.rows("SELECT path, service FROM remote JOIN file ON file.id = file"))
    for name, one in expected["remotes"].items():
        read, write, calls, failed = found.get(name, (0, 0, 0, 0))
        print(
            f"{name:45} {read:8} read {write:7} written {calls:5} calls {failed} failed,"
            f" waited {waited.get(name, 0.0):.3f} s of {one['waited']:.3f} s"
        )
        checks.check(
            [read, write, calls, failed]
            == [one["read"], one["write"], one["calls"], one["failed"]],
            f"{name}: {one['read']} bytes read, {one['write']} written, {one['calls']} calls,"
            f" {one['failed']} failed",
        )
        allowed = WAITED * one["waited"] + 0.003
        checks.check(
            COUNTS or abs(waited.get(name, 0.0) - one["waited"]) <= allowed,
            f"{name}: waited {waited.get(name, 0.0):.4f} s, it measured {one['waited']:.4f} s",
        )
        row = rows.get(name)
        checks.check(row is not None, f"{name}: not in the report")
        if row:
            checks.check(
                row["read_bytes"] >= one["read"] and row["op_count"] >= one["calls"]
                and row["protocol"] == name.split()[0],
                f"{name}: in the report {row}",
            )
    for name in found:
        checks.check(name in expected["remotes"], f"{name}: nobody talked to it, {found[name]}")
    database = expected["database"]
    checks.check(named.get(database) == "registry database", f"{database}: is {named.get(database)}")
    seconds = expected["remotes"][database]["waited"]
    found = classes.get("registry_database", 0.0)
    checks.check(
        (COUNTS and found > 0) or abs(found - seconds) <= WAITED * seconds + 0.003,
        f"registry_database: {found:.4f} s, it measured {seconds:.4f} s",
    )
    others = sum(o["waited"] for n, o in expected["remotes"].items() if n != database)
    found = classes.get("socket", 0.0)
    checks.check(
        (COUNTS and found > 0) or abs(found - others) <= WAITED * others + 0.01,
        f"socket: {found:.4f} s of {others:.4f} s"
    )
    server = recording.process(expected["server"])
    if server:  # its own end has no service: it does not wait for the database, it is one
        strange = recording.rows(
            "SELECT COUNT(*) FROM wait WHERE class = 'registry_database' AND epoch IN"
            " (SELECT id FROM epoch WHERE process = ?)",
            server.id,
        )[0][0]
        checks.check(not strange, "the server waits for the registry database")
    checks.check(not recording.lost().get("lost_io"), f"lost: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
