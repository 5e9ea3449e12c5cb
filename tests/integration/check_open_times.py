# SPDX-License-Identifier: GPL-2.0-or-later
"""check_open_times.py RECORDING OUTPUT REPORT FOLDER: were files open as long as open_times says?"""

import json
import sys

from recording import Recording

CLOCKS_NS = 30_000  # of two readings of the clock, here and in the kernel


def check(recording, name, path, one, report):
    rows = recording.rows(
        "SELECT sum(count), sum(ns), max(longest_ns), open FROM open_time t JOIN file f ON f.id = t.file"
        " WHERE path = ? GROUP BY open", path)
    problems = []
    if len(rows) != 1:
        return ["%s: %d kinds of rows" % (name, len(rows))]
    count, ns, longest, still = rows[0]
    print("%24s %3d times %12d ns, longest %12d%s" % (name, count, ns, longest,
                                                      ", still open" if still else ""))
    if (count, bool(still)) != (one["count"], one["open"]):
        problems.append("%s: %d times, still open %d" % (name, count, still))
    slack = CLOCKS_NS * one["count"]
    if not one["open"]:
        if not one["sum"][0] - slack <= ns <= one["sum"][1] + slack:
            problems.append("%s: %d ns, not in %s" % (name, ns, one["sum"]))
        if not one["longest"][0] - CLOCKS_NS <= longest <= one["longest"][1] + CLOCKS_NS:
            problems.append("%s: longest %d ns, not in %s" % (name, longest, one["longest"]))
    row = next((row for row in report["rows"] if row["file"] == path), None)
    prefix = "still_open" if one["open"] else "open"
    if not row or row[prefix + "_count"] != count or \
            abs(row[prefix + "_s"] - ns / 1e9) > 1e-9 or \
            abs(row[prefix + "_longest_s"] - longest / 1e9) > 1e-9:
        problems.append("%s: the report says %s" % (name, row))
    return problems


def main(path, output_path, report_path, folder):
    recording = Recording(path)
    with open(output_path, encoding="utf-8") as stream:
        output = json.load(stream)
    with open(report_path, encoding="utf-8") as stream:
        report = json.load(stream)
    problems = []
    for one in output["files"]:
        problems += check(recording, one["name"], folder + "/" + one["name"], one, report)
    quality = dict(recording.rows("SELECT name, value FROM quality"))
    for counter in ("lost_open_times", "closes_unseen", "lost_runs"):
        if quality[counter]:
            problems.append("%s: %d" % (counter, quality[counter]))
    for problem in problems:
        print("FAIL:", problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main(*sys.argv[1:])
