# SPDX-License-Identifier: GPL-2.0-or-later
"""check_read_order.py REPORT OUTPUT FOLDER: does `report --by file -f json` say in which order read_order has
read its files, and how often the same bytes?"""

import json
import sys


def main(report, output, folder):
    failed = 0
    with open(report, encoding="utf-8") as stream:
        rows = {row["file"]: row for row in json.load(stream)["rows"]}
    with open(output, encoding="utf-8") as stream:
        lines = stream.readlines()
    for line in lines:
        name, sequential, strided, random, again = line.rsplit(" ", 4)
        row = rows[folder + "/" + name]
        found = [row["reads_" + order] for order in ("sequential", "strided", "random")]
        wanted = [int(sequential), int(strided), int(random)]
        # A read that meets the recorder on another CPU may be missing.
        if any(abs(a - b) > 2 for a, b in zip(found, wanted)):
            failed = 1
            print(f"FAIL: {name}: {found}, not {wanted}")
        if abs(row["read_again_estimated"] / float(again) - 1) > 0.05:
            failed = 1
            print(f"FAIL: {name}: read {row['read_again_estimated']} times, not {again}")
    print(f"{len(lines)} files")
    sys.exit(failed)


if __name__ == "__main__":
    main(*sys.argv[1:])
