#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Throughput over time, by mount and task: the steps of two tasks at once add up to what each has read
# and written.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
cat >"$work/rules" <<'END'
[process throughput]
program = throughput.py
capture name = option --task
task = {name}
END
mkdir "$work/data"
real=$(realpath "$work/data")
mount -t tmpfs -o size=100M throughput "$real" 2>/dev/null || skip "cannot mount"
mounted=$real
start_recorder -a --sources cpu,io --rules "$work/rules" -o "$work/throughput.rec" ||
	die "the recorder did not start"
python3 "$tests/workloads/throughput.py" "$real" --task reader 3 >"$work/reader.out" &
python3 "$tests/workloads/throughput.py" "$real" --task writer 5 >"$work/writer.out" ||
	die "throughput.py"
wait $! || die "throughput.py"
stop_recorder INT || fail "the recorder ended with status $?"
COLUMNS=150 "$PIPESCOPE" report "$work/throughput.rec" --by throughput --where "mount=$real" ||
	fail "report --by throughput"
for format in json csv; do
	"$PIPESCOPE" report "$work/throughput.rec" --by throughput -f $format >"$work/throughput.$format" ||
		fail "report --by throughput -f $format"
done
python3 -B "$here/check_throughput.py" "$work"/throughput.{json,csv} "$real" "$work"/{reader,writer}.out ||
	fail "throughput"
finish
