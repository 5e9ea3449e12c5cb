#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_sources.sh [KERNEL...]: on each of Debian's kernels (default: 5.10 6.1), waits and file
# operations are what the workloads of the integration tests know of themselves: counts, bytes and
# errors exactly, times as exactly as an emulated CPU lets them be measured. The workloads run in the
# guest, the checks here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh
# shellcheck source=tests/vm/taking.sh
. tests/vm/taking.sh

slack=5 # times the tolerances of times
checks=tests/integration

# check NAME COMMAND...
check() {
	local name=$1
	shift
	if "$@" >"$work/verdict" 2>&1; then
		results_pass "$name"
	else
		results_fail "$name" "see above"
	fi
	sed 's/^/    /' "$work/verdict"
}

test_waits() {
	local kernel=$1 set=$2 name="kernel $1 waits are as measured, and wakers right" file
	files=(-f tests/workloads/waits.py -f tests/vm/guest/waits.sh)
	while read -r file; do
		files+=(-f "$file")
	done < <(list_modules tests/workloads/waits.py)
	in_guest "$name" "$kernel" sh /waits.sh "$set" || return 0
	take output && take report && take recording
	check "$name" python3 -B $checks/check_waits.py "$work/recording" "$work/output" \
		"$work/report" $slack
}

test_files() {
	local kernel=$1 name="kernel $1 files are as counted"
	if ! "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/files" tests/workloads/files.c \
		-lpthread; then
		results_fail "$name" "files.c does not compile"
		return
	fi
	files=(-f "$work/files:/files" -f tests/vm/guest/files.sh)
	in_guest "$name" "$kernel" sh /files.sh || return 0
	take output && take recording
	check "$name" python3 -B $checks/check_files.py "$work/recording" "$work/output" /tmp/folder
}

test_sockets() {
	local kernel=$1 name="kernel $1 sockets are as counted" file
	files=(-f tests/workloads/sockets.py -f tests/vm/guest/sockets.sh)
	while read -r file; do
		files+=(-f "$file")
	done < <(list_modules tests/workloads/sockets.py)
	in_guest "$name" "$kernel" sh /sockets.sh || return 0
	take output && take report && take recording
	check "$name" python3 -B $checks/check_sockets.py "$work/recording" "$work/output" \
		"$work/report" counts
}

[ $# -gt 0 ] || set -- 5.10 6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in "$@"; do
	test_files "$kernel"
	test_waits "$kernel" few
	test_sockets "$kernel"
done
results_total
