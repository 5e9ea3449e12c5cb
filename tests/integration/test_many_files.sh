#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Very many files, touched once each, and five that are read all the time: the totals are exact, the
# five have all of their reads, and the recorder's memory stays bounded. 200,000 files; with --full a
# million, which takes more than a minute. Memory is what the kernel calls resident of the recorder, at
# its peak; less BPF maps that are mapped into it: they are of a fixed size, are the kernel's, and
# the ring buffer is mapped twice. What all maps may take is printed apart.
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

# Kilobytes of BPF maps that are mapped into the recorder.
mapped_kb() {
	awk '/^[0-9a-f]+-[0-9a-f]+ / { is_map = $6 ~ /bpf-map$/ }
	     is_map && $1 == "Rss:" { sum += $2 }
	     END { print sum + 0 }' "/proc/$recorder/smaps"
}

# Kilobytes that the kernel counts for all of its maps.
maps_kb() {
	cat "/proc/$recorder/fdinfo/"* 2>/dev/null | awk '$1 == "memlock:" { bytes = $2 }
		$1 == "map_id:" && !seen[$2]++ { sum += bytes }
		END { print int(sum / 1024) }'
}

start_recorder -a --sources cpu,io -o "$work/many.rec" || die "the recorder did not start"
in_maps_kb=$(mapped_kb)
before_kb=$(($(awk '$1 == "VmRSS:" { print $2 }' "/proc/$recorder/status") - in_maps_kb))
"$work/many_files" "$work/many" "$files" >"$work/many.out" || die "many_files failed"
resident_kb=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$recorder/status")
peak_kb=$((resident_kb - in_maps_kb))
all_maps_kb=$(maps_kb)
stop_recorder INT || fail "the recorder ended with status $?"
echo "the recorder's memory: $((before_kb / 1024)) MB before, $((peak_kb / 1024)) MB at its peak;" \
	"with BPF maps mapped into it $((resident_kb / 1024)) MB; all BPF maps: $((all_maps_kb / 1024)) MB;" \
	"the recording: $(($(stat -c %s "$work/many.rec") / 1000000)) MB"
[ $((peak_kb / 1024)) -le $max_megabytes ] ||
	fail "the recorder took $((peak_kb / 1024)) MB, more than $max_megabytes"
python3 -B "$here/check_many_files.py" "$work/many.rec" "$work/many.out" "$work/many" ||
	fail "many files"
finish
