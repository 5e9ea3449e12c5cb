#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the resources of quanta cost the jobs: nanoseconds of CPU time per context switch of a process in
# a quantum (two threads that wake each other on one CPU), without and with counters; and per page
# fault, of which each changes the process's memory.
# --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"

rounds=${ROUNDS:-9}
switches=200000
limits=1
if [ "${1:-}" = --smoke ]; then
	rounds=1
	switches=20000
	limits=0
fi
need_recorder
compile calls
"${CC:-cc}" -shared -fPIC -std=gnu11 -D_GNU_SOURCE -Dmain=calls_main -O2 -o "$work/calls.so" \
	"$tests/workloads/calls.c" -lpthread || die "calls.c does not compile as a shared object"
three=task_clock,page_faults,context_switches

# variant → options of record; none: no recorder
options_of() {
	case $1 in
	waits) echo "--sources cpu,offcpu" ;;
	quanta) echo "--sources cpu,offcpu,quanta" ;;
	one) echo "--sources cpu,offcpu,quanta,counters --counters task_clock" ;;
	three) echo "--sources cpu,offcpu,quanta,counters --counters $three" ;;
	esac
}

run_futex() { python3 "$tests/workloads/switching.py" "$work/calls.so" futex $switches; }
# Nanoseconds of CPU time per fault, within a quantum.
run_fault() {
	python3 "$tests/workloads/switching.py" "$work/calls.so" fault $((switches / 2))
}

for ((round = 0; round < rounds; round++)); do
	order=(none waits quanta one three)
	[ $((round % 2)) = 0 ] || order=(three one quanta waits none)
	for variant in "${order[@]}"; do
		if [ "$variant" != none ]; then
			read -r -a options < <(options_of "$variant")
			start_recorder -a "${options[@]}" --rules "$tests/workloads/resources.rules" \
				-o "$work/overhead.rec" || die "the recorder did not start"
		fi
		for command in futex fault; do
			value=$("run_$command") || die "$command failed"
			echo "$value" >>"$work/$command.$variant"
		done
		if [ "$variant" != none ]; then
			stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
			rm -f "$work"/overhead.rec*
		fi
	done
	echo "  round $((round + 1)) of $rounds done" >&2
done
for variant in quanta one three; do
	read -r -a options < <(options_of "$variant")
	start_recorder -a --stats "${options[@]}" --rules "$tests/workloads/resources.rules" \
		-o "$work/stats.$variant" || die "the recorder did not start"
	run_futex >/dev/null
	run_fault >/dev/null
	stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
done
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import os, sqlite3, sys
from variants import Measured

folder = sys.argv[1]
measured = Measured(folder, sys.argv[2] == "1")
measured.header()
measured.plain("a switch by a futex in a quantum, ns", "futex", "none")
measured.more("  + with cpu,offcpu", "futex", "waits", "none")
measured.more("    … quanta on against off", "futex", "quanta", "waits", 300)
measured.more("    … one counter on against off", "futex", "one", "quanta", 150)
pairs = zip(measured.values("futex", "three"), measured.values("futex", "quanta"))
measured.line("    … three counters: each", [(three - none) / 3 for three, none in pairs], 1, 150)
measured.header()
measured.plain("a page fault in a quantum, ns", "fault", "none")
measured.more("    … quanta on against off", "fault", "quanta", "waits")
print("\nthe kernel's statistics (they add some 0.1 µs to each run)")
print(f"{'program':32} {'variant':8} {'runs':>9} {'mean ns':>9}")
for variant in ("quanta", "one", "three"):
    database = sqlite3.connect(os.path.join(folder, "stats." + variant))
    for name, runs, run_ns in database.execute(
        "SELECT name, runs, run_ns FROM program WHERE name IN ('offcpu_switch', 'resources_switch', 'resources_rss')"
        " AND runs > 0 ORDER BY name"
    ):
        print(f"{name:32} {variant:8} {runs:9} {run_ns / runs:9.0f}")
sys.exit(measured.failed)
END
