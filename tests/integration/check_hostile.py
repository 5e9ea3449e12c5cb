#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_hostile.py RECORDING OUTPUT: quanta of objects that are not what a rule expects.

Each is there; its label is right or said not to have been read; nothing read of it is longer than its limit. On a
busy node some are over before the recorder gets a CPU: a quarter at most, and those are counted."""

import json
import sys

from recording import Checks, Recording

TEXT_LIMIT = 256 + 3  # bytes of a name; a replaced character may be longer
FIELDS = 32


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    with open(sys.argv[2], encoding="utf-8") as stream:
        told = [json.loads(line) for line in stream]
    found = {
        number: (epoch, label)
        for epoch, number, label in recording.rows(
            "SELECT quantum.epoch, number, label FROM quantum JOIN epoch ON epoch.id = quantum.epoch"
            " JOIN process ON process.id = epoch.process WHERE pid = ?",
            told[0]["pid"],
        )
    }
    unread = missing = 0
    checks.check(len(found) == len(told), f"{len(found)} quanta, not {len(told)}")
    for one in told:
        epoch, label = found.get(one["number"], (None, "missing"))
        who = f"{one['number']} ({one['what']})"
        unread += label is None
        if one["label"] == "any":  # its objects change while they are read
            checks.check(label in (None, "isr"), f"{who}: label {label!r}")
        elif label is None and one["label"]:
            missing += 1
        else:
            checks.check(plain(label) == plain(one["label"]), f"{who}: label {label!r}, not {one['label']!r}")
        fields = recording.rows("SELECT field, value FROM quantum_data WHERE epoch = ?", epoch)
        checks.check(len(fields) <= FIELDS, f"{who}: {len(fields)} fields")
        for text in [label or ""] + [text for pair in fields for text in pair]:
            checks.check(len(text.encode()) <= TEXT_LIMIT, f"{who}: a text of {len(text)} characters")
    quality = dict(recording.rows("SELECT name, value FROM quality"))
    counted, over = quality["quanta_unread"], quality["quanta_over"]
    checks.check(counted >= unread, f"{unread} quanta without a label, {counted} said to be")
    checks.check(missing <= over, f"{missing} labels could have been read, {over} said to have been over")
    checks.check(missing <= len(told) / 4, f"{missing} of {len(told)} labels came too late")
    print(
        f"{len(told)} quanta of hostile objects; {unread} without a label, {counted} said to be,"
        f" {over} because they were over; {missing} that had one"
    )
    return checks.exit_status()


def plain(label):
    """What cannot be shown is replaced, by whatever."""
    return label and "".join(char if 32 <= ord(char) < 127 else "?" for char in label).replace("\ufffd", "?")


if __name__ == "__main__":
    sys.exit(main())
