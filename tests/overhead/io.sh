#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What counting file operations costs the jobs, in CPU time: nanoseconds per read of 64 bytes and per
# open + stat + close, against nothing and against two empty programs; and ratios for programs that do
# this much: 1.66 million reads, 60,000 open + stat + close a second.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
compile calls
make_floor
head -c 65536 /dev/urandom >"$work/data"

# shellcheck disable=SC2034 # of variants.bash
commands="read read_job open open_job"
run_read() { "$work/calls" read $((size * 200000)) 0 "$work/data"; }
run_read_job() { "$work/calls" read $((size * 100000)) 130 "$work/data"; }
run_open() { "$work/calls" open $((size * 20000)) 0 "$work/data"; }
run_open_job() { "$work/calls" open $((size * 4000)) 9800 "$work/data"; }

measure "$rounds" none floor cpu,io cpu,offcpu,io
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
for command, text, limit in ("read", "read of 64 bytes", 320), ("open", "open + stat + close", None):
    measured.header()
    measured.plain(f"{text}, ns", command, "none")
    measured.more("  + with two empty programs", command, "floor", "none")
    measured.more("  + with cpu,io", command, "cpu,io", "none", limit)
    measured.more("    … beyond the empty programs", command, "cpu,io", "floor")
    measured.more("  + with cpu,offcpu,io", command, "cpu,offcpu,io", "none")
    measured.ratio("  CPU ratio with cpu,io, of nothing but these", command, "cpu,io", "none")
for command, text, limit in (
    ("read_job", "a job with 1.66 million reads a second", 1.5),
    ("open_job", "a job with 60,000 open + stat + close a second", 1.3),
):
    measured.header()
    measured.plain(f"{text}, ns each", command, "none")
    measured.ratio("  CPU ratio with two empty programs", command, "floor", "none")
    measured.ratio("  CPU ratio with cpu,io", command, "cpu,io", "none", limit)
    measured.ratio("  CPU ratio with cpu,offcpu,io", command, "cpu,offcpu,io", "none")
sys.exit(measured.failed)
END
