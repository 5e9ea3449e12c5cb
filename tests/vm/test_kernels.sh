#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_kernels.sh [KERNEL...]: on each of Debian's kernels (default: 5.10 6.1), every BPF program
# loads, a recording of a Python program names its functions, and one goes on while a CPU goes and comes
# back.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

skip_reason() {
	sed -n 's/^SKIP: //p' "$work/errors" | tail -n 1
}

test_programs_load() {
	local kernel=$1 status=0
	scripts/veristat.sh "$kernel" >"$work/output" 2>"$work/errors" || status=$?
	if [ "$status" = 77 ]; then
		results_skip "kernel $kernel loads every program" "$(skip_reason)"
		return
	fi
	grep -v '^total: ' "$work/output" || true
	cat "$work/errors" >&2
	results_add "$work/output" ||
		results_fail "kernel $kernel loads every program" "veristat.sh ended with status $status"
}

test_recording_names_functions() {
	local kernel=$1 name="kernel $1 recording names Python functions" status=0 verdict
	tests/vm/run.sh -f tests/vm/guest/spin.py -f tests/vm/guest/record.sh "$kernel" -- \
		sh /record.sh >"$work/output" 2>"$work/errors" || status=$?
	if [ "$status" = 77 ]; then
		results_skip "$name" "$(skip_reason)"
		return
	fi
	if [ "$status" != 0 ]; then
		results_fail "$name" "exit status $status in the guest"
		tail -n 40 "$work/output" "$work/errors"
		return
	fi
	sed '1,/^MARK$/d' "$work/output" >"$work/report.json"
	if verdict=$(python3 tests/vm/check_report.py "$work/report.json" 2>&1); then
		results_pass "$name ($verdict)"
	else
		results_fail "$name" "$verdict"
		sed '/^MARK$/,$d' "$work/output" | tail -n 20
		head -c 4000 "$work/report.json"
	fi
}

# Both CPUs are busy.
test_hotplug_is_survived() {
	local kernel=$1 name="kernel $1 a CPU goes and comes back" status=0 verdict
	tests/vm/run.sh -f tests/vm/guest/spin.py -f tests/vm/guest/hotplug.sh "$kernel" -- \
		sh /hotplug.sh >"$work/output" 2>"$work/errors" || status=$?
	if [ "$status" = 77 ]; then
		results_skip "$name" "$(skip_reason)"
		return
	fi
	verdict=$(python3 tests/vm/check_hotplug.py <"$work/output" 2>&1) || status=1
	if [ "$status" = 0 ]; then
		results_pass "$name ($verdict)"
	else
		results_fail "$name" "$verdict"
		tail -n 40 "$work/output" "$work/errors"
	fi
}

[ $# -gt 0 ] || set -- 5.10 6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in "$@"; do
	test_programs_load "$kernel"
	test_recording_names_functions "$kernel"
	test_hotplug_is_survived "$kernel"
done
results_total
