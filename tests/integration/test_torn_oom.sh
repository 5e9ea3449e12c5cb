#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A writer that the kernel kills for want of memory has left a torn file, and the reason is known.
. "$(dirname "$0")/lib.sh"

# Prints the folder of a new control group with that limit, of either kind; fails where none can be.
memory_group() {
	local root group

	for root in /sys/fs/cgroup /sys/fs/cgroup/memory; do
		group=$root/pipescope-test.$$
		grep -qw memory "$root/cgroup.controllers" 2>/dev/null &&
			echo +memory >"$root/cgroup.subtree_control" 2>/dev/null
		[ ! -e "$root/cgroup.procs" ] || mkdir "$group" 2>/dev/null || continue
		if echo "$1" >"$group/memory.max" || echo "$1" >"$group/memory.limit_in_bytes"; then
			echo "$group"
			return
		fi 2>/dev/null
		rmdir "$group" 2>/dev/null
	done
	return 1
}

need_recorder
need_host_root
group=$(memory_group 64M) || skip "no control group of memory can be made here"
mkdir -m 755 "$work/torn"
real=$(realpath "$work")
start_recorder -a --sources cpu,io -o "$work/oom.rec" || die "the recorder did not start"
python3 "$tests/workloads/storage.py" oom "$work/torn" "$group" >"$work/oom.out" ||
	fail "storage.py oom"
stop_recorder INT || fail "the recorder ended with status $?"
rmdir "$group" || fail "the control group stays"
"$PIPESCOPE" report "$work/oom.rec" --by torn --where "file=$real/*" -f json >"$work/oom.json" ||
	fail "report --by torn -f json"
"$PIPESCOPE" report "$work/oom.rec" --by torn --where "file=$real/*" || fail "report --by torn"
python3 -B "$here/check_storage.py" torn "$work/oom.json" "$work/oom.out" || fail "torn file"
finish
