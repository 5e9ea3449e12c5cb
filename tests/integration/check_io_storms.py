#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_io_storms.py PAGE OUTPUT: whether the text page of a recording names the storms that
io_storms.py made, with its lines and its search paths."""

import json
import re
import sys

from recording import Checks


def section(page, headline):
    """The rows of a table of the page."""
    found = re.search(rf"^{re.escape(headline)}.*\n(.*\n)((?:.+\n)*)", page, re.M)
    return found[2].splitlines() if found else []


def main():
    checks = Checks()
    with open(sys.argv[1], encoding="utf-8") as stream:
        page = stream.read()
    with open(sys.argv[2], encoding="utf-8") as stream:
        expected = json.load(stream)
    storms = section(page, "Storms of small operations on files")
    for what, count in (("small reads", expected["reads"]), ("stats", expected["stats"])):
        rows = [row for row in storms if f" {what} " in row and expected["lines"][what] in row]
        if not checks.check(rows, f"no {what} by {expected['lines'][what]} in {storms}"):
            continue
        number = int(re.search(rf" {what} +(\d+)", rows[0])[1])
        # Python itself reads and looks about, too.
        checks.check(count <= number < count * 1.2, f"{number} {what}, not {count}")
    checks.check(not any(" small writes " in row for row in storms),
                 f"writes to pipes and sockets in {storms}")
    absent = section(page, "Files that were looked for and not there")
    for folder in expected["folders"]:
        rows = [row for row in absent if f" {folder} " in row]
        if not checks.check(rows, f"no look-ups in {folder} in {absent}"):
            continue
        numbers = re.findall(r" (\d+)", rows[0])[:2]
        wanted = [str(expected["absent"]), str(expected["names"])]
        checks.check(numbers == wanted, f"{folder}: {numbers}, not {wanted}")
        checks.check("plugin_" in rows[0], f"no example in {rows[0]}")
    print(f"{len(storms)} storms, {len(absent)} search paths")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
