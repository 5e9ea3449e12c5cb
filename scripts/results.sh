# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by what runs tests: one line for each result, and a last line that check.sh sums.
#   pass NAME | FAIL NAME: REASON | skip NAME: REASON
#   total: passed=N failed=N skipped=N

results_passed=0
results_failed=0
results_skipped=0

results_pass() {
	results_passed=$((results_passed + 1))
	echo "pass $1"
}

results_fail() {
	results_failed=$((results_failed + 1))
	echo "FAIL $1: $2"
}

results_skip() {
	results_skipped=$((results_skipped + 1))
	echo "skip $1: $2"
}

# Adds what another runner printed: $1 is a file with its output. Fails when it has no total.
results_add() {
	local passed failed skipped
	read -r passed failed skipped < <(
		sed -n 's/^total: passed=\([0-9]*\) failed=\([0-9]*\) skipped=\([0-9]*\)$/\1 \2 \3/p' "$1" |
			tail -n 1
	) || return 1
	results_passed=$((results_passed + passed))
	results_failed=$((results_failed + failed))
	results_skipped=$((results_skipped + skipped))
}

# results_each FUNCTION ITEM...: calls FUNCTION for each, on all CPUs at once; its results are printed
# in order. It runs in a process of its own: what it sets is not seen outside.
results_each() {
	local function=$1 folder item number=0 result
	shift
	folder=$(mktemp -d)
	for item in "$@"; do
		number=$((number + 1))
		[ $number -le "$(nproc)" ] || wait -n || true
		"$function" "$item" >"$folder/$number" 2>&1 &
	done
	wait
	for ((item = 1; item <= number; item++)); do
		while IFS= read -r result; do
			case $result in
			pass\ *) results_passed=$((results_passed + 1)) ;;
			FAIL\ *) results_failed=$((results_failed + 1)) ;;
			skip\ *) results_skipped=$((results_skipped + 1)) ;;
			esac
			printf '%s\n' "$result"
		done <"$folder/$item"
	done
	rm -r "$folder"
}

# Prints the total; its status is the runner's.
results_total() {
	echo "total: passed=$results_passed failed=$results_failed skipped=$results_skipped"
	[ "$results_failed" = 0 ]
}
