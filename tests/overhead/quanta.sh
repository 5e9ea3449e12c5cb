#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What knowing quanta costs the jobs, on top of the other sources: the CPU time of a fixed amount of
# Python work, in a process that no rule knows and inside a quantum with sub-tasks; nanoseconds more of
# a system call that is a boundary. And by the kernel's own statistics, which need no quiet machine: how
# much longer a sample of that process takes.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')

program=$tests/workloads/middleware/cost/lsst/single_quantum_executor.py

# shellcheck disable=SC2034 # of variants.bash
commands="plain quantum call"
run_plain() { "$python" -B "$program" plain $((size * 1000000)); }
run_quantum() { "$python" -B "$program" quantum $((size * 1000000)); }
run_call() { "$python" -B "$program" call $((size * 20000)); }

# sample_ns SOURCES: mean run time of the sampling program in the process inside a quantum. Samples of
# other processes end at once, after some 250 ns.
sample_ns() {
	rm -f "$work"/stats.rec*
	"$PIPESCOPE" record -q --stats --sources "$1" -o "$work/stats.rec" -- \
		"$python" -B "$program" quantum $((size * 2000000)) >/dev/null || die "record --stats failed"
	python3 - "$work/stats.rec" <<-'END'
		import sqlite3, sys
		database = sqlite3.connect(sys.argv[1])
		quality = dict(database.execute("SELECT name, value FROM quality"))
		(run_ns,) = database.execute("SELECT run_ns FROM program WHERE name = 'cpu_sample'").fetchone()
		print(round((run_ns - 250 * quality["samples_not_wanted"]) / max(quality["samples"], 1)))
	END
}

# One run differs from the next by more than is looked for: many short ones.
# shellcheck disable=SC2034
repeats=$((size * 7 / 10 + 1))
measure "$rounds" cpu,offcpu,io cpu,offcpu,io,quanta
for ((round = 0; round < rounds; round++)); do
	for sources in cpu,offcpu,io cpu,offcpu,io,quanta; do
		sample_ns "$sources" >>"$work/sample.$sources" || die "no statistics"
	done
done
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
base, quanta = "cpu,offcpu,io", "cpu,offcpu,io,quanta"
for command, text in ("plain", "work that no rule knows"), ("quantum", "work inside a quantum, with sub-tasks"):
    measured.header()
    measured.plain(f"{text}, ms", command, base, 1e6)
    measured.ratio("  CPU ratio with quanta", command, quanta, base, 1.005)
measured.header()
measured.plain("getrusage() outside of quanta, ns", "call", base)
measured.more("  + with quanta", "call", quanta, base)
measured.header()
measured.plain("a sample inside a quantum, ns", "sample", base)
measured.more("  + with quanta", "sample", quanta, base)
# At 99 samples a second, and at most 200 looks a second as the thread leaves the CPU, each as long.
more = [(q - b) * (99 + 200) / 1e7 for q, b in zip(measured.values("sample", quanta), measured.values("sample", base))]
measured.line("  … of a CPU at work, %, at most", more, 3, 0.5)
sys.exit(measured.failed)
END
