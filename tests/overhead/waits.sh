#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What recording waits costs the jobs, in CPU time: nanoseconds per context switch of two threads that
# wake each other on one CPU, through a futex and through pipes, with and without the source offcpu;
# and the ratio for 32 processes that compute, read, sleep and start short children.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
compile calls

# shellcheck disable=SC2034 # of variants.bash
commands="futex pipe"
run_futex() { "$work/calls" futex $((size * 20000)); }
run_pipe() { "$work/calls" pipe $((size * 20000)); }
run_churn() { "$work/calls" churn $((size / 2 + 1)); }

measure "$rounds" none cpu cpu,offcpu cpu,offcpu,io
# One run differs from the next by more than is looked for: many short ones.
# shellcheck disable=SC2034
commands=churn repeats=$((size * 8 / 10 + 1))
measure "$rounds" none cpu,offcpu,io
start_recorder -a --stats --sources cpu,offcpu -o "$work/stats.rec" || die "the recorder did not start"
run_futex >/dev/null
run_pipe >/dev/null
stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import os, sqlite3, sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
for command, text in ("futex", "a switch by a futex"), ("pipe", "a switch by pipes"):
    measured.header()
    measured.plain(f"{text}, ns", command, "none")
    measured.more("  + with cpu", command, "cpu", "none")
    measured.more("  + with cpu,offcpu", command, "cpu,offcpu", "none")
    measured.more("    … offcpu on against off", command, "cpu,offcpu", "cpu", 400)
    measured.more("  + with cpu,offcpu,io", command, "cpu,offcpu,io", "none")
measured.header()
measured.plain("32 processes with short children, ms in all", "churn", "none", 1e6)
measured.ratio("  CPU ratio with cpu,offcpu,io", "churn", "cpu,offcpu,io", "none", 1.015)
print("\nthe kernel's statistics (they add some 0.1 µs to each run)")
print(f"{'program':32} {'runs':>9} {'mean ns':>9}")
database = sqlite3.connect(os.path.join(sys.argv[1], "stats.rec"))
for name, runs, run_ns in database.execute(
    "SELECT name, runs, run_ns FROM program WHERE runs > 0 ORDER BY run_ns DESC"
):
    print(f"{name:32} {runs:9} {run_ns / runs:9.0f}")
sys.exit(measured.failed)
END
