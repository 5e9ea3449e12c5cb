#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_ceph.sh [KERNEL...]: on each of Debian's kernels (default: 6.1), with a real Ceph cluster and
# two CephFS mounts in the guest: what is recorded of the client is what the workload knows of its own
# requests, function by function, and what the client says of itself (debugfs). The workload runs in
# the guest, the checks here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh
# shellcheck source=tests/vm/taking.sh
. tests/vm/taking.sh

test_client() {
	local kernel=$1 name="kernel $1 CephFS's client" status=0 line
	files=(-f tests/workloads/ceph.py -f tests/vm/guest/ceph.sh -f tests/vm/guest/ceph-mount.sh)
	while read -r line; do
		files+=(-f "$line")
	done < <(list_modules tests/workloads/ceph.py)
	ceph=-c in_guest "$name" "$kernel" sh /ceph.sh || return 0
	take output && take report && take places && take text && take doctor && take recording
	if [ -n "${KEEP:-}" ]; then
		cp "$work/output" "$work/report" "$work/places" "$work/text" "$work/recording" "$work/guest" "$KEEP"
	fi
	if grep -q '^yes  *CephFS client' "$work/doctor"; then
		results_pass "kernel $kernel ceph: a mount that comes later is followed, as doctor says"
	else
		results_fail "kernel $kernel ceph: a mount that comes later" "doctor knows no client"
	fi
	python3 -B tests/vm/check_ceph.py "$work/recording" "$work/output" "$work/report" \
		"$work/places" >"$work/verdict" 2>&1 || status=$?
	while read -r line; do
		case $line in
		'pass '*) results_pass "kernel $kernel ceph: ${line#pass }" ;;
		'FAIL '*) results_fail "kernel $kernel ceph: ${line#FAIL }" "see above" ;;
		*) echo "    $line" ;;
		esac
	done <"$work/verdict"
	if [ "$status" -gt 1 ] || ! grep -q '^pass' "$work/verdict"; then
		results_fail "$name" "the check ended with status $status"
	fi
}

[ $# -gt 0 ] || set -- 6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in "$@"; do
	test_client "$kernel"
done
results_total
