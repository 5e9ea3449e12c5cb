#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What happens to memory, against what programs know of themselves: major faults by file; memory that a
# process frees because its control group is at the limit; a process that is killed for want of memory.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
command -v dd >/dev/null || skip "needs dd"
group=
enabled= # what is to be undone

# A control group of this test, where the kernel has them for memory: version 2, or 1.
make_group() {
	local root=/sys/fs/cgroup

	if [ -e $root/cgroup.controllers ]; then
		grep -qw memory $root/cgroup.controllers || return 1
		if ! grep -qw memory $root/cgroup.subtree_control; then
			echo +memory >$root/cgroup.subtree_control 2>/dev/null || return 1
			enabled=$root/cgroup.subtree_control
		fi
		limit_file=memory.max
	elif [ -w $root/memory/cgroup.procs ]; then
		root=$root/memory
		limit_file=memory.limit_in_bytes
	else
		return 1
	fi
	group=$root/pipescope-test.$$
	mkdir "$group" 2>/dev/null || return 1
	[ -w "$group/$limit_file" ]
}

# shellcheck disable=SC2317 # by the trap
remove_group() {
	clean_up
	[ -z "$group" ] || rmdir "$group" 2>/dev/null
	[ -z "$enabled" ] || echo -memory >"$enabled"
}
trap remove_group EXIT

# in_group WHAT FILE: limited.py in it.
in_group() {
	# shellcheck disable=SC2016 # the inner shell's
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
		python3 -B "$tests/workloads/limited.py" "$@"
}

dd if=/dev/urandom of="$work/data" bs=1M count=192 2>/dev/null || skip "needs 192 MB below $work"
dd if=/dev/urandom of="$work/mapped" bs=1M count=8 2>/dev/null
start_recorder -a --sources cpu,io,mem -o "$work/events.rec" || die "the recorder did not start"
python3 -B "$tests/workloads/limited.py" touch "$work/mapped" >"$work/touch.json" || fail "touch"
if make_group; then
	echo $((64 << 20)) >"$group/$limit_file"
	in_group read "$work/data" >"$work/read.json" || fail "read"
	# Not into swap.
	for file in memory.swap.max memory.swappiness; do
		[ ! -w "$group/$file" ] || echo 0 >"$group/$file"
	done
	{ in_group eat "$work/eat.json"; } 2>/dev/null
	[ $? = 137 ] || fail "it was not killed"
else
	echo "no control groups for memory here: reclaim and kills are left out"
fi
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_memory_events.py" "$work/events.rec" "$work" || fail "events"
"$PIPESCOPE" report "$work/events.rec" --by file --where op=major_fault --metric ops --format json \
	>"$work/files.json" || fail "report ended with status $?"
python3 -B - "$work" <<'END' || fail "the report has no major faults of the file"
import json, sys
rows = {row["file"]: row for row in json.load(open(sys.argv[1] + "/files.json"))["rows"]}
told = json.load(open(sys.argv[1] + "/touch.json"))
assert rows[told["path"]]["op_count"] == told["major_faults"], rows
END
"$PIPESCOPE" report "$work/events.rec" >"$work/page.txt" || fail "the text report"
sed -n '/^Short of memory/,/^$/p' "$work/page.txt"
"$PIPESCOPE" report "$work/events.rec" --by process --metric rss_growth --format json >"$work/short.json" ||
	fail "the report of memory"
python3 -B - "$work" <<'END' || fail "reports tell other figures than the recording"
import json, sqlite3, sys
short = json.load(open(sys.argv[1] + "/short.json"))["memory_shortages"]
db = sqlite3.connect(sys.argv[1] + "/events.rec")
rows = db.execute("SELECT process.pid, SUM(count * (kind = 'oom_kill')), SUM(count * (kind = 'reclaim')), SUM(bytes * (kind = 'reclaim'))"
                  " FROM memory_event JOIN epoch ON epoch.id = epoch JOIN process ON process.id = process GROUP BY process.id").fetchall()
told = sorted((one["pid"], one["oom_kills"], one["reclaims"], one["reclaimed_bytes"]) for one in short)
assert told == sorted(rows), (told, rows)
text = open(sys.argv[1] + "/page.txt").read()
for pid, kills, _, _ in rows[:5]:
    assert not kills or any(str(pid) in line.split() for line in text.split("Short of memory")[1].splitlines()), pid
END
finish
