#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Resources of quanta against what each quantum measured of itself: CPU time, faults, switches, bytes,
# memory, children; and counters against the kernel's own counts. --full: on every CPython.
. "$(dirname "$0")/lib.sh"

need_recorder
[ -w /proc/self/clear_refs ] || skip "the kernel cannot reset the high-water mark of memory"
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
[ "${1:-}" = --full ] || pythons=("${pythons[-1]}")
for python in "${pythons[@]}"; do
	version=${python%% *}
	echo "CPython $version"
	start_recorder -a --sources cpu,offcpu,quanta,counters --rules "$tests/workloads/resources.rules" \
		--counters task_clock,page_faults,context_switches,cycles,llc_misses -o "$work/resources.rec" ||
		die "the recorder did not start"
	"${python#* }" "$tests/workloads/resources.py" "$work" >"$work/told" || fail "resources.py failed"
	stop_recorder INT || fail "the recorder ended with status $?"
	python3 -B "$here/check_resources.py" "$work/resources.rec" "$work/told" || fail "resources"
done
"$PIPESCOPE" quanta -f csv "$work/resources.rec" >"$work/quanta.csv" || fail "pipescope quanta"
"$PIPESCOPE" report --by task -f json "$work/resources.rec" >"$work/task.json" || fail "report --by task"
python3 -B - "$work" <<'END' || fail "pipescope quanta and report"
import csv, json, sys
told = {row["id"]: row for row in map(json.loads, open(sys.argv[1] + "/told"))}
pid = str(told["job-0"]["pid"])
rows = {"job-%d" % (int(row["number"]) - 1): row for row in csv.DictReader(open(sys.argv[1] + "/quanta.csv", newline=""))
        if row["pid"] == pid}
assert all(int(rows[name]["minor_faults"]) == one["minor_faults"] for name, one in told.items())
assert 3e8 < int(rows["job-1"]["rss_peak_bytes"]) < 4e8 and int(rows["job-2"]["rss_peak_bytes"]) < 1.2e8
assert float(rows["job-4"]["wait_sleep_s"]) > 0.045
small = next(row for row in json.load(open(sys.argv[1] + "/task.json"))["rows"] if row["task"] == "small")
assert small["quanta"] == small["quantum_minor_faults_count"] == 3, small
order = [small["quantum_rss_peak_bytes_" + name] for name in ("median", "p95", "max")]
assert order == sorted(order) and 6e7 < order[0] and order[2] < 1.2e8, order
END
"$PIPESCOPE" report --by task --where task=small "$work/resources.rec" >"$work/task.txt" || fail "report as text"
grep -q 'peak RSS' "$work/task.txt" || fail "report --by task tells of no resources"
finish
