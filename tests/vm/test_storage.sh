#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_storage.sh [KERNEL...]: on each of Debian's kernels (default: 6.1), what the source io tells beyond
# counts of plain calls: copies in the kernel, locks, links, attributes, io_uring; the order of reads; how long
# files are open; dataset types; torn files, also of a process that was killed for want of memory;
# throughput by task. The workloads run in the guest, the checks here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh
# shellcheck source=tests/vm/taking.sh
. tests/vm/taking.sh

checks=tests/integration
pipescope=${PIPESCOPE:-.output/pipescope}

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

report() {
	local recording=$1 output=$2
	shift 2
	"$pipescope" report "$work/$recording" "$@" >"$work/$output"
}

check_torn() {
	report "$1" torn.json --by torn --where "file=/tmp/torn/*" -f json &&
		python3 -B $checks/check_storage.py torn "$work/torn.json" "$work/$2"
}

check_datasets() {
	report storage.rec datasets.json --by dataset,task -f json &&
		python3 -B $checks/check_storage.py datasets "$work/datasets.json" "$work/isr.out" \
			"$work/calibrate.out"
}

check_order() {
	report order.rec order.json --by file --where "file=/tmp/order/*" -f json &&
		python3 -B $checks/check_read_order.py "$work/order.json" "$work/order.out" /tmp/order
}

check_opens() {
	report opens.rec opens.json --by file -n 0 -f json &&
		python3 -B $checks/check_open_times.py "$work/opens.rec" "$work/opens.out" \
			"$work/opens.json" /tmp/opens
}

check_throughput() {
	report throughput.rec throughput.json --by throughput -f json &&
		report throughput.rec throughput.csv --by throughput -f csv &&
		python3 -B $checks/check_throughput.py "$work/throughput.json" "$work/throughput.csv" \
			/tmp/mount "$work/reader.out" "$work/writer.out"
}

test_storage() {
	local kernel=$1 program script file name="kernel $1 storage"
	files=(-f tests/vm/guest/storage.sh -f tests/vm/guest/storage.rules)
	for program in file_calls read_order open_times; do
		if ! "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/$program" \
			"tests/workloads/$program.c" -lpthread; then
			results_fail "$name" "$program.c does not compile"
			return
		fi
		files+=(-f "$work/$program")
	done
	for script in storage throughput; do
		files+=(-f "tests/workloads/$script.py")
		while read -r file; do
			files+=(-f "$file")
		done < <(list_modules "tests/workloads/$script.py")
	done
	in_guest "$name" "$kernel" sh /storage.sh || return 0
	while read -r file; do
		take "$file"
	done < <(sed -n 's/^FILE \([a-z._]*\)\r*$/\1/p' "$work/guest")
	check "$name: calls of all kinds are as counted" \
		python3 -B $checks/check_files.py "$work/calls.rec" "$work/calls.out" /tmp/calls
	if grep -q "yes *requests of io_uring" "$work/doctor"; then
		results_pass "$name: requests of io_uring are among them"
	else
		results_skip "$name: requests of io_uring" "this kernel does not tell of them"
	fi
	check "$name: order of reads" check_order
	check "$name: files are open as long as measured" check_opens
	check "$name: dataset types" check_datasets
	check "$name: torn files" check_torn storage.rec torn.out
	check "$name: torn for want of memory" check_torn oom.rec oom.out
	check "$name: throughput by task" check_throughput
}

[ $# -gt 0 ] || set -- 6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in "$@"; do
	test_storage "$kernel"
done
results_total
