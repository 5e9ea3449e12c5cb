#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Very many files, touched once each, and five that are read all the time: the totals are exact, the
# five have all of their reads, and the recorder's memory stays bounded. 200,000 files; with --full a
# million, which takes more than a minute.
. "$(dirname "$0")/lib.sh"

files=200000
[ "${1:-}" != --full ] || files=1000000
max_megabytes=200
need_recorder
need_host_root
compile many_files
mkdir "$work/many"
mount -t tmpfs -o size=4G,nr_inodes=0 many "$work/many" || skip "cannot mount a tmpfs"
mounted=$work/many
available=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
[ "$available" -gt $((files / 500)) ] || skip "needs $((files / 500)) MB of memory"

start_recorder -a --sources cpu,io -o "$work/many.rec" || die "the recorder did not start"
before_kb=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$recorder/status")
"$work/many_files" "$work/many" "$files" >"$work/many.out" || die "many_files failed"
peak_kb=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$recorder/status")
stop_recorder INT || fail "the recorder ended with status $?"
echo "the recorder's memory: $((before_kb / 1024)) MB before, $((peak_kb / 1024)) MB at its peak;" \
	"the recording: $(($(stat -c %s "$work/many.rec") / 1000000)) MB"
[ $((peak_kb / 1024)) -le $max_megabytes ] ||
	fail "the recorder took $((peak_kb / 1024)) MB, more than $max_megabytes"
python3 -B "$here/check_many_files.py" "$work/many.rec" "$work/many.out" "$work/many" ||
	fail "many files"
finish
