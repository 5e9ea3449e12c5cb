#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests that cannot succeed, one or many, leave a recording that can be read and figures that are right;
# also in a program that is linked statically, whose operators get their blocks from its own malloc.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/allocations.sh"

need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"

# record_sizes NAME FAILING OPTION...: OPTIONs are the compiler's.
record_sizes() {
	local name=$1 failing=$2

	shift 2
	"${CXX:-c++}" -O1 -g -fno-builtin "$@" -o "$work/sizes.$name" "$tests/workloads/alloc_sizes.cc" ||
		die "alloc_sizes.cc does not compile"
	start_workload "$name" "$work/sizes.$name" "$failing"
	start_recorder -p "$workload" --sources cpu,alloc --max-overhead 1000000 -o "$work/$name.rec" ||
		die "the recorder did not start"
	echo >&"$go"
	wait_for 30 grep -q '^[0-9]' "$work/$name" || die "the workload did not end"
	stop_recorder INT || fail "the recorder ended with status $?"
	echo >&"$go"
	exec {go}>&-
	wait "$workload" || fail "the workload failed"
	"$PIPESCOPE" report "$work/$name.rec" --by alloc >"$work/$name.txt" ||
		fail "$name: report ended with status $?"
	"$PIPESCOPE" report "$work/$name.rec" --by alloc --format json >"$work/$name.json" ||
		fail "$name: report ended with status $?"
	python3 -B - "$work/$name.json" "$(tail -n 1 "$work/$name")" "$failing" <<'END' || fail "$name"
import json, sys
report = json.load(open(sys.argv[1]))
blocks, failing = int(sys.argv[2]), int(sys.argv[3])
rows = {row["name"]: row for row in report["allocators"]}
sizes = {row["from_bytes"]: row["calls"] for row in report["sizes"]}
whole = report["allocations"]
print({name: (row["calls_in_windows"], row["bytes_in_windows"], row["layered"]) for name, row in rows.items()})
assert sizes[16384.0] == blocks, sizes
assert whole["whole"] and whole["allocations"] <= blocks + failing + 20, whole
assert rows["malloc"]["calls_in_windows"] >= blocks + failing + 2, rows["malloc"]
assert rows["operator new"]["layered"] and rows["realloc"]["bytes_in_windows"] == 0, rows
assert rows["calloc"]["calls_in_windows"] >= 2 and rows["calloc"]["bytes_in_windows"] == 0, rows
least = 20000 * blocks + 2.0 ** 47 + failing * 2.0 ** 46
assert least <= whole["bytes"] <= least + 1e6 or whole["bytes"] >= 2.0 ** 60, whole
assert failing < 16384 or 2.0 ** 60 <= whole["bytes"] < 2.0 ** 61, whole
END
}

record_sizes shared 0
record_sizes many 40000
grep -q 'Sizes, in windows' "$work/many.txt" || fail "no histogram"
if echo 'int main() {}' | "${CXX:-c++}" -static -x c++ -o "$work/static" - 2>/dev/null; then
	record_sizes static 0 -static
else
	echo "nothing can be linked statically: left out"
fi
finish
