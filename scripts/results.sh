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

# Prints the total; its status is the runner's.
results_total() {
	echo "total: passed=$results_passed failed=$results_failed skipped=$results_skipped"
	[ "$results_failed" = 0 ]
}
