#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# check.sh [--full]: set up, build with warnings as errors, and run every test. Prints each result,
# with the reason when it failed or was skipped, and last "N passed, N failed, N skipped"; exit
# status 1 when any failed. --full adds long fuzzing, more of the stacks of every CPython, kernel 6.12,
# waits and files on all kernels, CephFS on all, the overhead scripts in short, large HTML reports, and all of it once
# more in a fresh system.
# What each step printed is kept in .output/check/.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

logs=.output/check
export CI=1

heading() {
	echo "== $* (after $SECONDS s)"
}

# run_runner NAME COMMAND...: a runner that prints results and their total.
run_runner() {
	local name=$1 log=$logs/$1.log status=0
	shift
	heading "$name"
	"$@" 2>&1 </dev/null | tee "$log" | grep --line-buffered -v '^total: ' ||
		status=${PIPESTATUS[0]}
	if [ "$status" = 77 ]; then
		results_skip "$name" "$(sed -n 's/^SKIP: //p' "$log" | tail -n 1)"
	elif ! results_add "$log"; then
		results_fail "$name" "ended with status $status before its total; see $log"
	fi
}

# run_script NAME COMMAND...: one test: exit status 0 passed, 77 skipped, its last line says why.
run_script() {
	local name=$1 log status=0
	log=$logs/${1//[ \/]/-}.log
	shift
	"$@" >"$log" 2>&1 </dev/null || status=$?
	case $status in
	0) results_pass "$name" ;;
	77) results_skip "$name" "$(tail -n 1 "$log" | sed 's/^SKIP: *//')" ;;
	*)
		results_fail "$name" "exit status $status; see $log"
		tail -n 40 "$log" | sed 's/^/    /'
		;;
	esac
}

# build WHAT ARGUMENT...: one run of make, counted as one test.
build() {
	local what=$1 log=$logs/build-$1.log
	shift
	if make -j"$(nproc)" "$@" >"$log" 2>&1; then
		results_pass "build $what"
		return
	fi
	results_fail "build $what" "see $log"
	grep -E -A 5 'error|Error|warning' "$log" | head -n 60 | sed 's/^/    /' || true
	return 1
}

binaries() {
	local folder=$1 source
	shift
	for source in "$@"; do
		source=${source#tests/}
		echo "$folder/${source%.c}"
	done
}

finish() {
	echo "$results_passed passed, $results_failed failed, $results_skipped skipped"
	[ "$results_failed" = 0 ]
}

check_style() {
	heading style
	run_script "format (clang-format)" make -s format-check
	run_script "shellcheck" find_and_check_scripts
}

find_and_check_scripts() {
	local files
	mapfile -t files < <(
		find .ci scripts tests examples -type f -exec grep -lE '^#!.*[/ ](ba|da)?sh( |$)|shellcheck shell=' {} + | sort
	)
	shellcheck -x -P SCRIPTDIR:. "${files[@]}"
}

# What live and host tests also run with.
fetch_pythons() {
	local version
	heading "CPython of newer Debian suites"
	for version in 3.13 3.14; do
		run_script "CPython $version" tests/pythons/fetch.sh "$version"
	done
}

check_units() {
	local sources fuzzers
	shopt -s nullglob
	sources=(tests/unit/test_*.c tests/host/test_*.c)
	fuzzers=(tests/fuzz/fuzz_*.c)
	shopt -u nullglob
	build unit -k unit || true
	mapfile -t names < <(binaries .output/user/tests "${sources[@]}")
	run_runner unit scripts/run-unit.sh "${names[@]}"
	build unit-asan -k unit-asan || true
	mapfile -t names < <(binaries .output/asan/tests "${sources[@]}")
	run_runner unit-asan scripts/run-unit.sh "${names[@]}"
	mapfile -t names < <(for name in "${fuzzers[@]##*/}"; do echo ".output/fuzz/${name%.c}"; done)
	build fuzz -k "${names[@]}" || true
	run_runner fuzz scripts/run-fuzz.sh "$fuzz_seconds" "${names[@]}"
}

check_live() {
	local script name
	heading "integration"
	for script in tests/integration/test_*.sh; do
		name=${script##*/}
		run_script "integration ${name%.sh}" bash "$script" ${full:+--full}
	done
	run_script "try.sh" bash scripts/try.sh
	if [ "$(id -u)" = 0 ]; then
		run_runner veristat scripts/veristat.sh
	else
		results_skip veristat "needs root"
	fi
}

# Guests beside what needs no time of its own: their tests do not mind who else has the CPUs.
begin_guests() {
	set -m # a group of its own, to be ended as one
	{
		# shellcheck disable=SC2086 # kernels are words
		tests/vm/test_kernels.sh $kernels >"$logs/kernels.out" 2>&1 || true
		tests/vm/test_ceph.sh 6.1 >"$logs/ceph.out" 2>&1 || true
	} </dev/null &
	guests=$!
	set +m
	trap 'kill -- -$guests 2>/dev/null || true' EXIT
}

end_guests() {
	wait "$guests"
	trap - EXIT
	run_runner kernels cat "$logs/kernels.out"
	run_runner ceph cat "$logs/ceph.out"
}

# The overhead scripts' figures need a quiet node and many minutes: here only whether they work.
check_long() {
	local script name
	# shellcheck disable=SC2086 # kernels are words
	run_runner sources tests/vm/test_sources.sh $kernels
	# shellcheck disable=SC2086 # kernels are words
	run_runner storage tests/vm/test_storage.sh $kernels
	# shellcheck disable=SC2086 # kernels are words
	run_runner ceph-kernels tests/vm/test_ceph.sh ${kernels/6.1/}
	heading "overhead, large pages and a fresh system"
	for script in tests/overhead/*.sh; do
		name=${script##*/}
		run_script "overhead ${name%.sh} --smoke" bash "$script" --smoke
	done
	run_script "page, large" bash tests/integration/test_page.sh --large
	for name in quanta quanta_rules; do
		run_script "integration test_$name --full" bash "tests/integration/test_$name.sh" --full
	done
	run_script "fresh chroot" bash tests/integration/fresh-chroot.sh
}

full=
fuzz_seconds=3
kernels="5.10 6.1"
case ${1:-} in
'') ;;
--full)
	full=1
	fuzz_seconds=120
	kernels="5.10 6.1 6.12"
	;;
*)
	echo "Usage: check.sh [--full]" >&2
	exit 2
	;;
esac

heading setup
if ! scripts/setup.sh; then
	results_fail setup "scripts/setup.sh failed (see above)"
	finish
	exit 1
fi
rm -rf "$logs"
mkdir -p "$logs"
heading build
if build pipescope; then
	begin_guests
	check_style
	fetch_pythons
	check_units
	end_guests
	check_live
	if [ -n "$full" ]; then
		check_long
	fi
fi
finish
