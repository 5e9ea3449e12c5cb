#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Finer classes of waits by rules, in the oldest and the newest CPython that is here and in the system's
# own, which is stripped: the
# interpreter's lock, which only stacks tell, against other locks; a system call with a class of its
# own; faults on a mapped file; files; and what the kernel tells of throttled and full control groups.
# --full: longer.
. "$(dirname "$0")/lib.sh"

seconds=1
[ "${1:-}" != --full ] || seconds=10
need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
case $(stat -f -c %T "$work") in
tmpfs | ramfs | overlayfs) skip "$work is not on a disk; set TMPDIR" ;;
esac
printf '[wait file-lock]\ncall = flock\nwait = file_lock\n' >"$work/rules"

groups=()
# shellcheck disable=SC2317 # called by the trap
remove_groups() {
	local group

	for group in "${groups[@]}"; do
		rmdir "$group" 2>/dev/null
	done
	clean_up
}
trap remove_groups EXIT

# make_group CONTROLLER VARIABLE: a control group in $VARIABLE; fails where none can be made.
make_group() {
	local root=/sys/fs/cgroup/$1

	[ -d "$root" ] || root=/sys/fs/cgroup
	mkdir "$root/pipescope-test.$$" 2>/dev/null || {
		[ -d "$root/pipescope-test.$$" ] || return 1
	}
	groups+=("$root/pipescope-test.$$")
	printf -v "$2" %s "$root/pipescope-test.$$"
}

options=()
cpu_group=
memory_group=
if make_group cpu cpu_group &&
	{ { echo 100000 >"$cpu_group/cpu.cfs_period_us" && echo 5000 >"$cpu_group/cpu.cfs_quota_us"; } ||
		echo "5000 100000" >"$cpu_group/cpu.max"; } 2>/dev/null; then
	options+=(--cpu-group "$cpu_group")
else
	echo "not tested: throttled (no control group with a CPU limit can be made here)"
	cpu_group=
fi
if make_group memory memory_group &&
	{ echo 12M >"$memory_group/memory.limit_in_bytes" || echo 48M >"$memory_group/memory.max"; } \
		2>/dev/null; then
	options+=(--memory-group "$memory_group")
else
	echo "not tested: reclaim (no control group with a memory limit can be made here)"
	memory_group=
fi

# Seconds for which the group was throttled so far.
throttled() {
	[ -z "$cpu_group" ] || awk '/^throttled_time/ { print $2 / 1e9 } /^throttled_usec/ { print $2 / 1e6 }' \
		"$cpu_group/cpu.stat"
}

record_waits() {
	local version=$1 python=$2 workload go before

	mkfifo "$work/go.$version"
	"$python" "$tests/workloads/wait_rules.py" --seconds $seconds --folder "$work" "${options[@]}" \
		<"$work/go.$version" >"$work/waits.$version" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$version"
	wait_for 10 grep -q ready "$work/waits.$version" || die "wait_rules.py did not start"
	before=$(throttled)
	start_recorder -p "$workload" --sources cpu,offcpu,io --rules "$work/rules" \
		-o "$work/$version.rec" || die "the recorder did not start"
	echo >&"$go"
	wait_for 60 grep -q '}}' "$work/waits.$version" || die "wait_rules.py printed nothing"
	stop_recorder INT || fail "the recorder ended with status $?"
	exec {go}>&-
	wait "$workload" || fail "wait_rules.py failed"
	echo "CPython $version"
	"$PIPESCOPE" report "$work/$version.rec" --by thread,wait --format json >"$work/$version.json" ||
		fail "report ended with status $?"
	python3 -B "$here/check_wait_rules.py" "$work/$version.rec" "$work/waits.$version" \
		"$work/$version.json" "$work" \
		"$(awk "BEGIN { print ${cpu_group:+$(throttled) - }${before:-0} }")" ||
		fail "waits of CPython $version"
}

chosen=("${pythons[0]}")
[ ${#pythons[@]} -eq 1 ] || chosen+=("${pythons[-1]}")
for python in "${pythons[@]}"; do
	[ "${python#* }" != "$(readlink -f /usr/bin/python3)" ] || case " ${chosen[*]} " in
	*" ${python#* } "*) ;;
	*) chosen+=("$python") ;;
	esac
done
# Short: the newest and, where it is another one, the system's.
[ "$seconds" != 1 ] || [ ${#chosen[@]} -lt 3 ] || chosen=("${chosen[@]:1}")
for python in "${chosen[@]}"; do
	record_waits "${python%% *}" "${python#* }"
done
finish
