#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What recording costs the jobs. Sampling, in three ways that must agree:
#   1. a fixed amount of Python work takes how much more CPU time (pairs with and without, median);
#   2. the sampling program's mean run time by the kernel's own statistics, times the rate;
#   3. the time that a sample takes from a loop that reads the clock: interrupt and program.
# And what the life of a short process costs more: fork, exec and exit are recorded each.
# --smoke: a few seconds, to see that it works. HZ, PAIRS, PASSES, PYTHON may be set.
. "$(dirname "$0")/../integration/lib.sh"

need_recorder
if [ "${1:-}" = --smoke ]; then
	PAIRS=1 PASSES=1 SECONDS_EACH=0.5
fi
hz=${HZ:-99}
pairs=${PAIRS:-9}
passes=${PASSES:-10}
seconds=${SECONDS_EACH:-2}
fast_hz=997
python=$("${PYTHON:-python3}" -c 'import os, sys; print(os.path.realpath(sys.executable))')
compile stolen
compile short_lived
"${CC:-cc}" -shared -fPIC -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/stolen.so" "$tests/workloads/stolen.c" ||
	die "stolen.c does not compile as a shared object"

work_cpu() {
	"$python" "$tests/workloads/shares.py" --passes "$passes" |
		"$python" -c 'import json, sys; print(json.load(sys.stdin)["run_cpu_s"])'
}

# "nanoseconds taken per second", from C and from below 40 Python frames.
stolen_native() {
	"$work/stolen" "$seconds" | awk '{ printf "%.0f\n", $2 / $3 * 1e9 }'
}

stolen_python() {
	"$python" - "$work/stolen.so" "$seconds" <<-'END'
		import ctypes, sys
		library = ctypes.CDLL(sys.argv[1])
		library.stolen_measure.argtypes = [ctypes.c_double, ctypes.c_void_p]
		result = (ctypes.c_uint64 * 3)()
		def descend(level):
		    if level:
		        return descend(level - 1)
		    library.stolen_measure(float(sys.argv[2]), ctypes.addressof(result))
		descend(40)
		print(round(result[1] / result[2] * 1e9))
	END
}

# CPU microseconds per process of 500 that live for a millisecond.
life_cpu() {
	python3 - "$work/short_lived" <<-'END'
		import resource, subprocess, sys
		subprocess.run([sys.argv[1], "500"], check=True, stdout=subprocess.DEVNULL)
		usage = resource.getrusage(resource.RUSAGE_CHILDREN)
		print(round((usage.ru_utime + usage.ru_stime) * 1e6 / 500, 1))
	END
}

# pair FILE HZ COMMAND: appends "without with", in turn the one or the other first.
pair() {
	local file=$1 rate=$2 with without

	shift 2
	if [ $(($(wc -l <"$file") % 2)) = 0 ]; then
		without=$("$@") || die "$* failed"
	fi
	start_recorder -a -F "$rate" -o "$work/overhead.rec" || die "the recorder did not start"
	with=$("$@") || die "$* failed"
	stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
	rm -f "$work"/overhead.rec*
	without=${without:-$("$@")} || die "$* failed"
	echo "$without $with" >>"$file"
}

measure() {
	local file=$1 rate=$2

	: >"$file"
	while [ "$(wc -l <"$file")" -lt "$pairs" ]; do
		pair "$@"
	done
	echo "  $(wc -l <"$file") pairs at $rate Hz done" >&2
}

measure "$work/ratio" "$hz" work_cpu
measure "$work/native" "$fast_hz" stolen_native
measure "$work/python" "$fast_hz" stolen_python
measure "$work/life" "$hz" life_cpu
start_recorder -a -F "$hz" --stats -o "$work/stats.rec" || die "the recorder did not start"
work_cpu >/dev/null || die "the work failed"
stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"

python3 - "$work" "$hz" "$fast_hz" <<'END'
import os, sqlite3, statistics, sys

folder, hz, fast_hz = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def read(name):
    with open(os.path.join(folder, name)) as stream:
        return [tuple(map(float, line.split())) for line in stream]

def spread(values):
    return f"{min(values):.4g} … {max(values):.4g}"

print(f"\n{'':44} {'median':>9}  range")
ratios = [with_ / without for without, with_ in read("ratio")]
print(f"{f'1. CPU time with / without at {hz} Hz':44} {statistics.median(ratios):9.4f}  {spread(ratios)}")
alone = [without for without, _ in read("ratio")]
print(f"{'   the fastest with / the fastest without':44} {min(w for _, w in read('ratio')) / min(alone):9.4f}")
print(f"{'   the work alone, of its own median':44} {'':9}  {spread([a / statistics.median(alone) for a in alone])}")
if max(alone) > 1.03 * min(alone):
    print("   the same work alone differs by more than 3 %: this machine is too busy for 1 and 3")
for name, what in ("native", "C"), ("python", "40 Python frames"):
    costs = [(with_ - without) / fast_hz / 1000 for without, with_ in read(name)]
    cost = statistics.median(costs)
    print(f"{f'3. a sample in all, {what}, µs':44} {cost:9.2f}  {spread(costs)}")
    print(f"{f'   … times {hz} Hz, share of a CPU':44} {cost * hz / 1e6:9.4%}")
lives = [with_ - without for without, with_ in read("life")]
print(f"{'   a process of 1 ms, more CPU, µs':44} {statistics.median(lives):9.1f}  {spread(lives)}")
print(f"{'   … without the recorder, µs':44} {statistics.median(w for w, _ in read('life')):9.1f}")
print("\n2. the kernel's statistics (they add some 0.1 µs to each run)")
print(f"{'program':32} {'runs':>9} {'mean µs':>9} {'of one CPU':>12}")
database = sqlite3.connect(os.path.join(folder, "stats.rec"))
elapsed_ns = int(dict(database.execute("SELECT key, value FROM meta"))["stop_ns"])
programs = database.execute("SELECT name, runs, run_ns FROM program ORDER BY run_ns DESC").fetchall()
for name, runs, run_ns in programs:
    if runs:
        print(f"{name:32} {runs:9} {run_ns / runs / 1000:9.2f} {run_ns / elapsed_ns:12.4%}")
        if name == "cpu_sample":
            print(f"{f'   … times {hz} Hz':32} {'':9} {'':9} {run_ns / runs * hz / 1e9:12.4%}")
if not any(runs for _, runs, _ in programs):
    sys.exit("FAIL: --stats recorded no run of any program")
END
