#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_lines.py RECORDING SOURCE PROGRAM lines|NAME: what the recording says of the workload
inlined.cc: the inlined functions and lines of its samples; or that there are none of these, and its
function is called NAME."""

import collections
import sys

from recording import Recording

SQUARE = "double physics::square<double>(double)"
CHAIN = [SQUARE, "physics::track::pt2() const", "physics::hot_loop(physics::track const*, int)"]


def marked_lines(source):
    with open(source, encoding="utf-8") as lines:
        return {
            line.split("// LINE ")[1].strip(): number
            for number, line in enumerate(lines, 1)
            if "// LINE " in line
        }


def leaf_chains(recording, program):
    """Samples per (name, file, line)s of the functions at the program's innermost frame."""
    inlined = collections.defaultdict(list)
    for frame, *function in recording.rows(
        "SELECT i.frame, f.name, f.file, i.line FROM inline i JOIN function f ON f.id = i.function"
        " ORDER BY i.frame, i.position"
    ):
        inlined[frame].append(tuple(function))
    chains = collections.Counter()
    for frame, name, file, line, count in recording.rows(
        "SELECT r.id, f.name, f.file, r.line, sum(s.count) FROM sample s"
        " JOIN stack k ON k.id = s.stack JOIN frame r ON r.id = k.frame"
        " JOIN function f ON f.id = r.function"
        " WHERE s.metric = 'cpu' AND f.module LIKE ? GROUP BY r.id",
        "%/" + program,
    ):
        chains[tuple(inlined[frame] + [(name, file, line)])] += count
    return chains


def check_lines(chains, source):
    lines = marked_lines(source)
    total = sum(chains.values())
    good = inner = 0
    for chain, count in chains.items():
        if chain[0][0] != SQUARE or [part[0] for part in chain] != CHAIN:
            continue
        inner += count
        # The loop itself is in the line before.
        good += count * (
            chain[0][2] in (lines["square"] - 1, lines["square"])
            and chain[1][2] == lines["pt2"]
            and chain[2][2] == lines["hot_loop"]
            and all(part[1].endswith("/inlined.cc") for part in chain)
        )
    print("%d samples in the program, %d in square(), %d with all lines" % (total, inner, good))
    return total > 200 and inner > 0.9 * total and good == inner


def check_none(recording, chains, expected):
    """A stripped program: no frames by address, so no more of them than functions."""
    total = sum(chains.values())
    named = chains[((expected, None, None),)]
    print("%d samples in the program, %d in %s, of %d frames"
          % (total, named, expected, len(chains)))
    addresses = recording.rows(
        "SELECT count(*) FROM frame r JOIN function f ON f.id = r.function"
        " WHERE r.address IS NOT NULL AND f.module LIKE '%/stripped'"
    )
    return total > 200 and named > 0.9 * total and len(chains) <= 4 and addresses == [(0,)]


def main():
    path, source, program, expected = sys.argv[1:]
    recording = Recording(path)
    chains = leaf_chains(recording, program)
    if expected == "lines":
        right = check_lines(chains, source)
    else:
        right = check_none(recording, chains, expected)
    unfinished = recording.rows("SELECT value FROM quality WHERE name = 'frames_without_lines'")
    if unfinished != [(0,)]:
        print("frames without lines: %s" % unfinished)
        right = False
    sys.exit(0 if right else 1)


main()
