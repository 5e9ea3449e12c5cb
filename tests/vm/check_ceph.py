# SPDX-License-Identifier: GPL-2.0-or-later
"""check_ceph.py RECORDING OUTPUT REPORT PLACES: is what was recorded of CephFS's client what ceph.py, and
the client itself, say? The reports are by mount and operation, and those by function, too.

Prints lines "pass NAME" and "FAIL NAME" with the figures; exit status 1 when one failed.
"""

import collections
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "integration"))
from recording import Recording  # noqa: E402

TOLERANCE = 0.10  # of the client's own sums of latencies
MOUNTS = ("/mnt/one", "/mnt/two")
ROUNDED_US = 0.5  # each mean of debugfs
failed = False


def result(fine, name):
    global failed
    failed = failed or not fine
    print(("pass " if fine else "FAIL ") + name)


def python_functions(recording, metric):
    """(function, op) -> value, with all that it called."""
    sums = collections.Counter()
    for stack, op, value in recording.rows(
            "SELECT stack, class, sum(value) FROM sample WHERE metric = ? AND stack IS NOT NULL"
            " GROUP BY stack, class", metric):
        for name in {frame.name for frame in recording.frames(stack) if frame.kind == "python"}:
            sums[name, op] += value
    return sums


def check_functions(recording, expected):
    numbers = python_functions(recording, "ceph_ops")
    volumes = python_functions(recording, "ceph_bytes")
    for function, wanted in expected.items():
        found = {}
        for name in wanted:
            op, _, unit = name.partition(" ")
            found[name] = (volumes if unit == "bytes" else numbers)[function, op]
        others = ["%s %d" % (op, number) for (name, op), number in sorted(numbers.items())
                  if name == function and op not in wanted]
        result(found == wanted, "%s: %s%s" % (
            function, ", ".join("%s %d (%d)" % (name, found[name], wanted[name])
                                for name in sorted(wanted)),
            "; also " + ", ".join(others) if others else ""))


def sums_of_mounts(recording):
    """By mount: (number, bytes, seconds) of {read, write, metadata}."""
    mounts = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0, 0.0]))
    for path, op, number, volume, ns in recording.rows(
            "SELECT path, op, sum(count), sum(bytes), sum(ns) FROM ceph JOIN ceph_mount m"
            " ON m.id = ceph.mount GROUP BY path, op"):
        kind = {"osd:read": "read", "osd:write": "write", "osd:writeback": "write"}.get(op)
        if op.startswith("mds:"):
            kind = "metadata"
        if kind:
            one = mounts[path][kind]
            one[0] += number
            one[1] += volume
            one[2] += ns / 1e9
    return mounts


def check_client(recording, output):
    """What the clients count, the first being the first mount."""
    mounts = sums_of_mounts(recording)
    for path, before, after in zip(MOUNTS, output["before"], output["after"]):
        for kind in ("metadata", "read", "write"):
            number, volume, seconds = mounts[path][kind]
            own = after[kind][0] - before[kind][0]
            own_s = (after[kind][1] - before[kind][1]) / 1e6
            rounded_s = ROUNDED_US * (after[kind][0] + before[kind][0]) / 1e6
            result(number == own, "%s %s: %d requests, the client says %d" % (
                path, kind, number, own))
            result(abs(seconds - own_s) <= TOLERANCE * own_s + rounded_s,
                   "%s %s: %.4f s, the client says %.4f" % (path, kind, seconds, own_s))
            name = kind + "_bytes"
            if name in after:
                own = after[name] - before.get(name, 0)
                # Newer clients forget the size of what they read into the page cache.
                left_out = output["uncounted"] if (path, kind) == (MOUNTS[0], "read") else 0
                result(volume == own + left_out, "%s %s: %d bytes, the client says %d%s" % (
                    path, kind, volume, own, ", and left out %d" % left_out if left_out else ""))


def check_mounts(places, expected):
    found = collections.Counter()
    for row in places["rows"]:
        found[row["mount"], "%s %s" % (row["function"], row["ceph"])] += row["total"]["ceph_op_count"]
    for what, wanted in expected.items():
        numbers = [found[mount, what] for mount in MOUNTS]
        result(numbers == wanted, "%s: %g on the first mount, %g on the second (%d, %d)" % (
            what, *numbers, *wanted))


def check_rest(recording, output, report):
    quality = dict(recording.rows("SELECT name, value FROM quality"))
    lost = {name: quality[name] for name in ("lost_ceph", "ceph_stacks_missed",
                                             "ceph_not_loaded", "lost_counts_full")}
    result(not any(lost.values()), "nothing lost: %s" % lost)
    for op, wanted in output["reads"].items():
        found = recording.rows("SELECT coalesce(sum(count), 0) FROM ceph WHERE op = ?", op)[0][0]
        result(found >= wanted, "%s: %d of at least %d" % (op, found, wanted))
    waits, ns = recording.rows(
        "SELECT coalesce(sum(count), 0), coalesce(sum(ns), 0) FROM ceph WHERE op = 'caps:wait'")[0]
    result(waits > 0, "capabilities were waited for: %d times, %.3f s" % (waits, ns / 1e9))
    bad = recording.rows(
        "SELECT op, sum(count), (SELECT coalesce(sum(h.count), 0) FROM ceph_histogram h"
        " WHERE h.op = ceph.op) AS seen FROM ceph GROUP BY op HAVING sum(count) != seen")
    result(not bad, "histograms hold every operation %s" % (bad or ""))
    own = collections.Counter()
    for row in report["rows"]:
        own[row["ceph"]] += row["ceph_op_count"]
    counted = dict(recording.rows("SELECT op, sum(count) FROM ceph GROUP BY op"))
    result(dict(own) == counted, "report --by mount,ceph says the same")
    process = recording.rows(
        "SELECT sum(count) FROM ceph JOIN epoch e ON e.id = ceph.epoch JOIN process p"
        " ON p.id = e.process WHERE pid = ? AND op LIKE 'mds:%'", output["process"])[0][0]
    every = recording.rows("SELECT sum(count) FROM ceph WHERE op LIKE 'mds:%'")[0][0]
    result(process == every, "requests to the metadata server of its process: %s of %s" % (
        process, every))


def read(path):
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)


def main(path, output_path, report_path, places_path):
    recording = Recording(path)
    with open(output_path, encoding="utf-8") as stream:
        output = json.loads(stream.read().strip().splitlines()[-1])
    print("followed by", recording.meta.get("ceph_way"), "on", recording.meta["kernel"])
    check_functions(recording, output["expected"])
    check_mounts(read(places_path), output["on"])
    check_client(recording, output)
    check_rest(recording, output, read(report_path))
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
