#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What walking a mixed stack costs: the mean run time of cpu_sample by the kernel's statistics (they add
# some 0.1 µs), per CPython, for work below 40 Python frames and for all the stacks of mixed.py; beside it
# what 1.5 µs + 100 ns per Python frame + 170 ns per native frame would be, and the share of a CPU at
# 99 Hz, of the program and with the interrupt itself, which is to be 0.3 % at most. Medians of rounds.
# --smoke: a few seconds. ROUNDS, SECONDS_EACH, HZ, CASES (leaves of mixed.py) may be set.
. "$(dirname "$0")/../integration/chains.sh"

need_recorder
need_native_stacks
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
if [ "${1:-}" = --smoke ]; then
	ROUNDS=1 SECONDS_EACH=2
	oldest_and_newest
fi
rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-20}
hz=${HZ:-199}
cases=${CASES:-python_leaf}
fast_hz=997
compile stolen

# "nanoseconds taken per second", from a loop in C.
stolen_ns() {
	"$work/stolen" 3 | awk '{ printf "%.0f\n", $2 / $3 * 1e9 }'
}

# The interrupt, and a run of the program for a process that is not wanted: both cost the loop.
measure_interrupt() {
	local round

	for ((round = 0; round < rounds; round++)); do
		stolen_ns >>"$work/without"
		start_recorder -p $$ -F $fast_hz --stats --sources cpu -o "$work/interrupt.$round" ||
			die "the recorder did not start"
		stolen_ns >>"$work/with"
		stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
	done
}

# run_workload NAME PYTHON OPTION...
run_workload() {
	local name=$1 python=$2 workload go

	shift 2
	mkfifo "$work/go.$name"
	"$python" -B "$tests/workloads/mixed.py" --wait --seconds "$seconds" "$@" <"$work/go.$name" \
		>"$work/out.$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$name"
	wait_for 20 grep -q ready "$work/out.$name" || die "mixed.py did not start"
	start_recorder -p "$workload" -F "$hz" --stats --sources cpu -o "$work/$name" ||
		die "the recorder did not start"
	echo >&"$go"
	wait_for $((seconds * 4 + 20)) grep -q ']}' "$work/out.$name" || die "mixed.py did not end"
	stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
	exec {go}>&-
	wait "$workload" || die "mixed.py failed"
}

measure_interrupt
for ((round = 0; round < rounds; round++)); do
	for number in "${!pythons[@]}"; do
		python=${pythons[number]#* }
		options=()
		extension=$(build_extension "$python" mixed_ext.c) && options=(--extension "$extension")
		run_workload "$number.one.$round" "$python" "${options[@]}" --cases "$cases"
		run_workload "$number.all.$round" "$python" "${options[@]}"
	done
done
printf '%s\n' "${pythons[@]}" >"$work/pythons"

python3 - "$work" "$here" "$cases" "$rounds" $fast_hz <<'END'
import os, statistics, sys

folder, library, cases = sys.argv[1:4]
rounds, fast_hz = map(int, sys.argv[4:])
sys.dont_write_bytecode = True
sys.path.insert(0, library)
from recording import Recording

def numbers(name):
    with open(os.path.join(folder, name)) as stream:
        return [float(line) for line in stream]

def program(recording):
    """runs and nanoseconds of cpu_sample"""
    ((runs, run_ns),) = recording.rows("SELECT runs, run_ns FROM program WHERE name = 'cpu_sample'")
    if not runs:
        sys.exit("FAIL: --stats recorded no run of cpu_sample")
    return runs, run_ns

def measure(recording, not_wanted_ns):
    """of the wanted samples: how many, mean frames of Python, native and kernel, mean microseconds"""
    samples = 0
    sums = {"python": 0, "native": 0, "kernel": 0}
    for stack, count in recording.rows(
        "SELECT stack, SUM(count) FROM sample WHERE metric = 'cpu' GROUP BY stack"
    ):
        samples += count
        for frame in recording.frames(stack):
            sums["native" if frame.kind == "interpreter" else frame.kind] += count
    runs, run_ns = program(recording)
    mean = (run_ns - (runs - samples) * not_wanted_ns) / samples / 1000
    return [samples] + [value / samples for value in sums.values()] + [mean]

interrupts = []
not_wanted = []
for round_, (with_, without) in enumerate(zip(numbers("with"), numbers("without"))):
    runs, run_ns = program(Recording(os.path.join(folder, "interrupt.%d" % round_)))
    not_wanted.append(run_ns / runs)
    interrupts.append((with_ - without - fast_hz * run_ns / runs) / fast_hz / 1000)
interrupt = statistics.median(interrupts)
spread = f"{min(interrupts):.1f} … {max(interrupts):.1f}"
print(f"the interrupt without the program: {interrupt:.1f} µs ({spread})")
if interrupt < 0:
    print("  below 0: this node is too busy to measure it")
print(f"  at 99 Hz: {max(interrupt, 0) * 99 / 1e6:.4%} of a CPU, whatever the program does")
print(f"a run for another process: {statistics.median(not_wanted) / 1000:.2f} µs\n")
print(
    f"{'':28} {'samples':>8} {'Python':>7} {'native':>7} {'kernel':>7} {'mean µs':>8} {'range':>15}"
    f" {'budget':>7} {'':>4} {'at 99 Hz':>9} {'with interrupt':>15}"
)
with open(os.path.join(folder, "pythons")) as stream:
    pythons = [line.split() for line in stream]
for number, (version, path) in enumerate(pythons):
    for name in ("one", "all"):
        rows = [
            measure(
                Recording(os.path.join(folder, f"{number}.{name}.{round_}")),
                statistics.median(not_wanted),
            )
            for round_ in range(rounds)
        ]
        samples, python, native, kernel, mean = map(statistics.median, zip(*rows))
        means = [row[-1] for row in rows]
        budget = 1.5 + 0.1 * python + 0.17 * native
        share = (mean + max(interrupt, 0)) * 99 / 1e6
        title = f"{version} {path.split('/')[-3]} {cases if name == 'one' else name}"
        range_ = f"{min(means):.2f} … {max(means):.2f}"
        print(
            f"{title:28} {samples:8.0f} {python:7.1f} {native:7.1f} {kernel:7.1f} {mean:8.2f}"
            f" {range_:>15} {budget:7.2f} {'ok' if mean <= budget else 'over':>4}"
            f" {mean * 99 / 1e6:9.4%} {share:15.4%} {'ok' if share <= 0.003 else 'over'}"
        )
END
