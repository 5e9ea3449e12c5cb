#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that was mapped when a quantum had most of it: of each quantum its own, however much an earlier
# one had; as a table, and as stacks for a flame graph.
. "$(dirname "$0")/lib.sh"

need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
start_recorder -a --sources cpu,quanta,mem --rules "$tests/workloads/resources.rules" -o "$work/quanta.rec" ||
	die "the recorder did not start"
"${pythons[-1]#* }" "$tests/workloads/resources.py" "$work" >"$work/told" || fail "resources.py failed"
stop_recorder INT || fail "the recorder ended with status $?"

# The workload's own words: what each quantum mapped, and gave back, in touch().
while read -r quantum megabytes; do
	found=$("$PIPESCOPE" export "$work/quanta.rec" --format collapsed --metric mmap_peak \
		--where "quantum=$quantum" | awk '/touch/ { sum += $NF } END { print sum / 1048576 }')
	[ "$found" = "$megabytes" ] || fail "$quantum: $found MiB live at its peak, not $megabytes"
	echo "$quantum: $found MiB of touch() live at its peak"
	"$PIPESCOPE" report "$work/quanta.rec" --by function --metric mmap_peak --where "quantum=$quantum" \
		-n 0 --format json >"$work/function.json" || fail "report ended with status $?"
	python3 -B - "$work/function.json" "$megabytes" <<-'END' || fail "$quantum by function"
		import json, sys
		rows = {row["function"]: row["total"]["mmap_peak_bytes"] for row in json.load(open(sys.argv[1]))["rows"]}
		assert rows["touch"] == int(sys.argv[2]) << 20, rows
	END
done <<-END
	job-0 60
	job-1 300
	job-2 60
	job-9 60
END
finish
