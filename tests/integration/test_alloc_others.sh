#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Allocators that are not the C library's: jemalloc and tcmalloc in its place, and CPython's own, by their
# symbols.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/allocations.sh"

need_recorder
build_allocations
mapfile -t pythons < <(find_pythons)
looked=0

# record_burst NAME OPTION...
record_burst() {
	local name=$1

	shift
	start_recorder -p "$workload" --sources cpu,alloc --max-overhead 1000000 "$@" -o "$work/$name.rec" ||
		die "the recorder did not start"
	wait_for 60 grep -q '^{' "$work/$name" || die "$name: the burst did not end"
	stop_recorder INT || fail "$name: the recorder ended with status $?"
	end_workload "$name"
	"$PIPESCOPE" report "$work/$name.rec" --by alloc -n 0 --format json >"$work/$name.json" ||
		fail "$name: report ended with status $?"
	looked=$((looked + 1))
}

for library in libjemalloc.so.2 libtcmalloc_minimal.so.4; do
	if ldconfig -p | grep -q "^[[:space:]]*$library "; then
		start_workload "$library" env LD_PRELOAD="$library" "$work/allocations" burst 1600
		record_burst "$library"
		python3 -B "$here/check_alloc.py" instead "$work/$library" "$work/$library.json" "$library" ||
			fail "$library"
	else
		echo "$library is not installed: left out"
	fi
done

if [ ${#pythons[@]} -gt 0 ]; then
	start_workload python "${pythons[-1]#* }" -B "$tests/workloads/python_allocators.py" 500
	record_burst python --alloc-python
	python3 -B "$here/check_alloc.py" python "$work/python" "$work/python.json" || fail "CPython"
else
	echo "no CPython 3.8 or later: left out"
fi
[ $looked -gt 0 ] || skip "needs jemalloc, tcmalloc or CPython"
finish
