#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What recording memory costs the jobs, in CPU time: nanoseconds per page that comes, and ratios for a
# program that only computes, and for one to which 100,000 pages a second come.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
compile faults

# shellcheck disable=SC2034 # of variants.bash
commands="compute touch touch_job"
run_compute() { "$work/faults" 0 $((size * 40000000)); }
run_touch() { "$work/faults" $((size * 60000)) 0; }
run_touch_job() { "$work/faults" $((size * 10000)) 5700; }

measure "$rounds" none cpu cpu,mem
start_recorder -a --stats --sources cpu,mem -o "$work/stats.rec" || die "the recorder did not start"
run_touch_job >/dev/null
stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import os, sqlite3, sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
measured.header()
measured.plain("computing, ms", "compute", "none", 1e6)
measured.ratio("  CPU ratio with cpu", "compute", "cpu", "none")
measured.ratio("  … cpu,mem against cpu", "compute", "cpu,mem", "cpu", 1.005)
measured.header()
measured.plain("a page that comes, ns", "touch", "none")
measured.more("  + with cpu", "touch", "cpu", "none")
measured.more("  + with cpu,mem", "touch", "cpu,mem", "none")
measured.header()
measured.plain("a job with 100,000 pages a second, ns each", "touch_job", "none")
measured.ratio("  CPU ratio with cpu", "touch_job", "cpu", "none")
measured.ratio("  … cpu,mem against cpu", "touch_job", "cpu,mem", "cpu", 1.05)
print("\nthe kernel's statistics (they add some 0.1 µs to each run)")
print(f"{'program':32} {'runs':>9} {'mean ns':>9}")
database = sqlite3.connect(os.path.join(sys.argv[1], "stats.rec"))
for name, runs, run_ns in database.execute(
    "SELECT name, runs, run_ns FROM program WHERE runs > 0 ORDER BY run_ns DESC"
):
    print(f"{name:32} {runs:9} {run_ns / runs:9.0f}")
sys.exit(measured.failed)
END
