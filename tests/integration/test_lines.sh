#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Source lines and inlined functions of C++: from the program itself, from a debug file next to it;
# none without debug information. The workload's lines are known.
. "$(dirname "$0")/lib.sh"

need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
command -v objcopy >/dev/null || skip "needs objcopy"
unset DEBUGINFOD_URLS
source=$tests/workloads/inlined.cc
"${CXX:-c++}" -O2 -g -Wall -Wextra -Wl,--build-id -o "$work/whole" "$source" ||
	die "inlined.cc does not compile"
if ! objcopy --only-keep-debug "$work/whole" "$work/split.debug" ||
	! objcopy --strip-debug --add-gnu-debuglink="$work/split.debug" "$work/whole" "$work/split" ||
	! objcopy --strip-all "$work/whole" "$work/stripped"; then
	die "objcopy failed"
fi

address=$(nm "$work/whole" | sed -n 's/^0*\([0-9a-f]*\) T .*hot_loop.*/\1/p')
[ -n "$address" ] || die "nm does not know hot_loop"

start_recorder -a -F 499 -o "$work/lines.rec" || die "the recorder did not start"
for program in whole split stripped; do
	"$work/$program" 1.5 >/dev/null || fail "$program failed"
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_lines.py" "$work/lines.rec" "$source" whole lines || fail "whole"
python3 -B "$here/check_lines.py" "$work/lines.rec" "$source" split lines || fail "split"
python3 -B "$here/check_lines.py" "$work/lines.rec" "$source" stripped \
	"stripped+0x$address" || fail "stripped"

line=$(grep -n 'LINE pt2' "$source" | cut -d: -f1)
"$PIPESCOPE" report "$work/lines.rec" --by line --where task=whole >"$work/by_line" ||
	fail "report --by line"
grep -q "^inlined.cc:$line " "$work/by_line" || fail "by line: no inlined.cc:$line"
"$PIPESCOPE" report "$work/lines.rec" --by function --where task=whole --limit 0 \
	>"$work/by_function" ||
	fail "report --by function"
grep -qF '_loop(…)' "$work/by_function" || fail "by function: no short name"
"$PIPESCOPE" report "$work/lines.rec" --by function --format json >"$work/json" ||
	fail "report --json"
grep -q 'double physics::square<double>(double)' "$work/json" || fail "JSON: no whole name"
"$PIPESCOPE" export --format collapsed "$work/lines.rec" -o "$work/collapsed" || fail "export"
grep -qF "physics::track::pt2() const (inlined.cc:$line) (inlined);" "$work/collapsed" ||
	fail "collapsed: pt2() is not marked as inlined"
finish
