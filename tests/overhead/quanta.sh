#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What knowing quanta costs the jobs, on top of the other sources: the CPU time of the same Python work
# in processes that work in turns, one recorded with the source and two without it: outside of quanta
# and inside one with sub-tasks. The two without tell what the measure itself is worth. Nanoseconds
# more of a system call that is a boundary; and by the kernel's own statistics, which need no quiet
# machine: how much longer a sample of a process in a quantum takes.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
[ "$(nproc)" -gt 1 ] || skip "needs a CPU for the work and one for the recorders"
unshare -m true 2>/dev/null || skip "needs mount namespaces: several recorders at once"
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')

program=$tests/workloads/middleware/cost/lsst/single_quantum_executor.py

# The work has the last CPU that there is, recorders the others.
cpus=$(python3 -c 'import os; cpus = sorted(os.sched_getaffinity(0)); print(cpus[-1], ",".join(map(str, cpus[:-1])))')

# start_in_private NAME OPTION...: one of several recorders, each with a /run of its own.
start_in_private() {
	local name=$1

	shift
	unshare -m bash -c 'mount -t tmpfs run /run && exec "$@"' record taskset -c "${cpus#* }" \
		"$PIPESCOPE" record -F 99 "$@" -o "$work/$name.rec" 2>"$work/$name.err" >/dev/null &
	started+=($!)
	wait_for 30 grep -q 'recording to' "$work/$name.err" || die "no recorder: $(cat "$work/$name.err")"
}

# turns ROUND: one round of the work in three groups. Which of them is recorded with quanta, changes.
turns() {
	local with=$(($1 % 3)) go group worker pid
	local -a pids

	started=()
	mkfifo "$work/go"
	: >"$work/turns"
	taskset -c "${cpus% *}" "$python" -B "$program" turns 3 $((size * 6)) 800000 \
		<"$work/go" >"$work/turns" &
	worker=$!
	exec {go}>"$work/go"
	wait_for 10 grep -q '^2 ' "$work/turns" || die "the workload did not start"
	while read -r group 'pids[0]' 'pids[1]'; do
		if [ "$group" = $with ]; then
			start_in_private "$group" --sources cpu,offcpu,io,quanta -p "${pids[0]},${pids[1]}"
		else
			start_in_private "$group" --sources cpu,offcpu,io -p "${pids[0]},${pids[1]}"
		fi
	done < <(head -3 "$work/turns")
	echo >&"$go"
	exec {go}>&-
	wait "$worker" || die "the workload failed"
	for pid in "${started[@]}"; do
		kill -INT "$pid" 2>/dev/null # it ends with what it records
		wait "$pid" || die "a recorder failed: $(cat "$work"/[0-2].err)"
	done
	started=()
	[ "$(sql "$work/$with.rec" 'SELECT COUNT(*) FROM quantum')" = 1 ] ||
		die "the quantum was not found"
	sed -n "s/^\(plain\|quantum\) $with/$1 \1 with/p; s/^\(plain\|quantum\) $(((with + 1) % 3))/$1 \1 without/p
		s/^\(plain\|quantum\) $(((with + 2) % 3))/$1 \1 again/p" "$work/turns" >>"$work/all_turns"
	rm -f "$work"/[0-2].rec* "$work"/[0-2].err "$work/turns" "$work/go"
}

# shellcheck disable=SC2034 # of variants.bash
commands="call"
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

for ((round = 0; round < rounds; round++)); do
	turns "$round"
	echo "  round $((round + 1)) of $rounds of the work in turns done" >&2
done
measure "$rounds" cpu,offcpu,io cpu,offcpu,io,quanta
for ((round = 0; round < rounds; round++)); do
	for sources in cpu,offcpu,io cpu,offcpu,io,quanta; do
		sample_ns "$sources" >>"$work/sample.$sources" || die "no statistics"
	done
done
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import statistics, sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
base, quanta = "cpu,offcpu,io", "cpu,offcpu,io,quanta"
turns = {}
with open(sys.argv[1] + "/all_turns", encoding="utf-8") as stream:
    for line in stream:
        number, kind, group, *times = line.split()
        turns.setdefault((kind, group), []).append([int(time) for time in times])


def middle(ratios):
    """Their mean, without a quarter at each end: the machine interrupts some turns."""
    quarter = len(ratios) // 4
    return statistics.mean(sorted(ratios)[quarter:len(ratios) - quarter])


def rounds(kind, group, *others):
    """Of each round what the turns of a group took, against the turns of others beside them."""
    return [
        middle([len(beside) * one / sum(beside) for one, *beside in zip(*together)])
        for together in zip(*(turns[kind, name] for name in (group, *others)))
    ]


for kind, text in ("plain", "work that no rule knows"), ("quantum", "work inside a quantum, with sub-tasks"):
    measured.header()
    measured.line(f"{text}, ms a turn", [statistics.mean(times) / 1e6 for times in turns[kind, "without"]], 1)
    measured.line("  CPU ratio of the same twice", rounds(kind, "again", "without"), 4)
    ratios = rounds(kind, "with", "without", "again")
    measured.line("  CPU ratio with quanta", ratios, 4, 1.005)
    if len(ratios) > 1:
        error = statistics.stdev(ratios) / len(ratios) ** 0.5
        print(f"  … in the mean {statistics.mean(ratios):.4f}, with a standard error of {error:.4f}")
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
