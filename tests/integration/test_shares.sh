#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shares of CPU of known Python functions, in every CPython that is installed: each within 2 points
# of what the program measured itself, at 199 Hz. Every second program runs already when the
# recording begins.
. "$(dirname "$0")/lib.sh"

seconds=12
need_recorder
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
for version in 3.8 3.9 3.10 3.11 3.12 3.13 3.14; do
	printf '%s\n' "${pythons[@]}" | grep -q "^$version " || echo "no CPython $version here: not tested"
done
cpus=$(nproc)

# A program of its own on each CPU: what competes for a CPU is sampled with more noise.
run_on_cpu() {
	local cpu=$1 i python fd
	local -a pids=() fds=()

	for ((i = cpu; i < ${#pythons[@]}; i += cpus)); do
		[ $((i % 2)) = 0 ] || continue
		python=${pythons[i]#* }
		mkfifo "$work/go.$i"
		taskset -c "$cpu" "$python" "$tests/workloads/shares.py" --wait --seconds $seconds \
			<"$work/go.$i" >"$work/shares.$i" &
		pids[i]=$!
		exec {fd}>"$work/go.$i"
		fds[i]=$fd
		wait_for 20 grep -q ready "$work/shares.$i"
	done
	touch "$work/ready.$cpu"
	wait_for 60 test -e "$work/go"
	for ((i = cpu; i < ${#pythons[@]}; i += cpus)); do
		python=${pythons[i]#* }
		if [ -n "${pids[i]:-}" ]; then
			echo >&"${fds[i]}"
		else
			taskset -c "$cpu" "$python" "$tests/workloads/shares.py" --seconds $seconds \
				>"$work/shares.$i" &
			pids[i]=$!
		fi
		wait "${pids[i]}" || return 1
	done
}

workers=()
for ((cpu = 0; cpu < cpus && cpu < ${#pythons[@]}; cpu++)); do
	run_on_cpu "$cpu" &
	workers+=($!)
	started+=($!)
	wait_for 30 test -e "$work/ready.$cpu" || die "the programs did not start"
done
start_recorder -a -F 199 -o "$work/shares.rec" || die "the recorder did not start"
touch "$work/go"
for worker in "${workers[@]}"; do
	wait "$worker" || die "a program failed"
done
stop_recorder INT || fail "the recorder ended with status $?"

"$PIPESCOPE" report "$work/shares.rec" --by process,function --format json >"$work/report.json" ||
	fail "report ended with status $?"
python3 -B "$here/check_shares.py" "$work/shares.rec" "$work/report.json" "$work"/shares.[0-9]* ||
	fail "shares"
finish
