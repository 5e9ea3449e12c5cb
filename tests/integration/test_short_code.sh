#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Code objects that live for 3 and 20 ms, their memory then another one's: a name may come too late
# and be missing, but must not be that of another function.
. "$(dirname "$0")/lib.sh"

need_recorder
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
start_recorder -a -F 499 -o "$work/code.rec" || die "the recorder did not start"
number=0
for python in "${pythons[@]}"; do
	for options in '3' '20' '3 collect'; do
		number=$((number + 1))
		# shellcheck disable=SC2086 # options are words
		"${python#* }" "$tests/workloads/short_code.py" 1 $options \
			>"$work/code.$number" || fail "short_code.py failed"
	done
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_short_code.py" "$work/code.rec" "$work"/code.[0-9]* || fail "names"
finish
