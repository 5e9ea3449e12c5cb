#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_alloc_programs.py RECORDING BLOCKS: the blocks that alloc_programs.c told of, but for moments after each program
began, and none twice. Each breakpoint that was met is a call that was counted. One window follows the other."""

import sys

from recording import Checks, Recording

BUCKET = 9  # 512 to 1,023 bytes
LEFT_OUT = 0.15  # of the blocks: until the breakpoints of a program are there
GAP_S = 0.02


def main():
    recording, told = Recording(sys.argv[1]), int(sys.argv[2])
    checks = Checks()
    blocks = recording.rows("SELECT sum(allocation_size.count) FROM allocation_size JOIN allocator ON allocator.id ="
                            " allocator WHERE name = 'malloc' AND bucket = ?", BUCKET)[0][0] or 0
    hits = recording.rows("SELECT sum(hits) FROM alloc_window")[0][0] or 0
    counted = recording.rows("SELECT sum(count) FROM allocation")[0][0] or 0
    windows = recording.rows("SELECT min(start_ns) / 1e9, max(end_ns) / 1e9 FROM alloc_window GROUP BY number"
                             " ORDER BY number")
    gaps = [after[0] - before[1] for before, after in zip(windows, windows[1:])]
    checks.check((1 - LEFT_OUT) * told <= blocks <= told, f"{blocks} blocks, of {told}")
    checks.check(hits == counted, f"{hits} breakpoints were met, {counted} calls counted")
    checks.check(gaps and max(gaps) < GAP_S, f"{max(gaps, default=0):.3f} s between two of {len(windows)} windows")
    print(f"{blocks} of {told} blocks, {counted} calls in all, {len(windows)} windows")
    return checks.exit_status()


sys.exit(main())
