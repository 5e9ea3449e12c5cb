#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run-fuzz.sh SECONDS BINARY...: run each libFuzzer binary for SECONDS, from the inputs found by
# earlier runs (.output/fuzz/corpus) and the seeds in tests/fuzz/seeds. An input that crashes,
# leaks or takes longer than 10 s fails, and stays in .output/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

run_target() {
	local binary=$1 target=${1##*/} name status=0 units log seeds corpus found
	name=${target#fuzz_}
	seeds=tests/fuzz/seeds/$name
	corpus=.output/fuzz/corpus/$name
	found=.output/fuzz/found
	log=.output/fuzz/$target.log
	if [ ! -x "$binary" ]; then
		results_fail "$target" "not built"
		return
	fi
	if [ -z "$(find "$seeds" -type f 2>/dev/null | head -n 1)" ]; then
		results_fail "$target" "no seeds in $seeds"
		return
	fi
	mkdir -p "$corpus" "$found"
	# The first folder takes the new inputs, the seeds stay as they are.
	"$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$found/$name-" "$corpus" "$seeds" >"$log" 2>&1 </dev/null || status=$?
	units=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$status" != 0 ]; then
		results_fail "$target" "exit status $status, whole output in $log"
		grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "$log" | sed 's/^/    /' || true
	else
		results_pass "$target ($units inputs in $seconds s)"
	fi
}

if [ $# -lt 2 ] || ! [[ $1 =~ ^[1-9][0-9]*$ ]]; then
	echo "Usage: run-fuzz.sh SECONDS BINARY..." >&2
	exit 2
fi
seconds=$1
shift
results_each run_target "$@"
results_total
