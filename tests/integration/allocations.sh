# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# Workloads that allocate, for the tests of allocators; sourced after lib.sh.

workload=
go=

build_allocations() {
	command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
	"${CXX:-c++}" -O2 -g -o "$work/allocations" "$tests/workloads/allocations.cc" -ldl -lpthread ||
		die "allocations.cc does not compile"
}

# start_workload NAME COMMAND...: its words go to $work/NAME; it waits for a line on &go.
start_workload() {
	local name=$1

	shift
	rm -f "$work/go"
	mkfifo "$work/go"
	"$@" <"$work/go" >"$work/$name" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go"
	wait_for 20 grep -q ready "$work/$name" || die "the workload did not start"
}

end_workload() {
	exec {go}>&-
	wait "$workload" || fail "$1: the workload failed"
	grep -q '^clean' "$work/$1" || fail "$1: breakpoints are left"
}

has_lines() {
	[ "$(grep -c '^{' "$1")" -ge "$2" ]
}

# ask NAME LINES: for one more line, its number LINES.
ask() {
	kill -USR2 "$workload"
	wait_for 10 has_lines "$work/$1" "$2" || die "the workload does not answer"
}

# has_used SECONDS: of CPU time, since it had used $from.
has_used() {
	[ $(($(used_ticks) - from)) -ge $(($1 * $(getconf CLK_TCK))) ]
}

used_ticks() {
	sed 's/.*) //' "/proc/$workload/stat" | awk '{ print $12 + $13 }'
}

# slow_down SECONDS LIMIT COMMAND...: how much slower it was with a recorder for so much of its own CPU
# time, as a line of check_alloc.py.
slow_down() {
	local seconds=$1 limit=$2 expected status=0 from

	shift 2
	start_workload busy "$@"
	echo >&"$go"
	sleep 1
	start_recorder -p "$workload" --sources cpu,alloc --max-overhead "$limit" -o "$work/busy.rec" ||
		die "the recorder did not start"
	ask busy 1
	from=$(used_ticks)
	wait_for $((seconds * 10)) has_used "$seconds" || die "the workload gets no CPU time"
	ask busy 2
	stop_recorder INT || fail "the recorder ended with status $?"
	sleep 1
	kill -USR1 "$workload"
	end_workload busy
	expected=$(sql "$work/busy.rec" "SELECT value FROM meta WHERE key = 'alloc_predicted_percent'")
	grep -q 'expected slow-down' "$work/recorder.err" || fail "the slow-down was not predicted aloud"
	"$PIPESCOPE" report "$work/busy.rec" --by alloc --format json >"$work/busy.json" ||
		fail "report ended with status $?"
	python3 -B "$tests/integration/check_alloc.py" busy "$work/busy" "$work/busy.json" "$expected" \
		"$limit" "$seconds" || status=1
	rm -f "$work"/busy.rec*
	return $status
}
