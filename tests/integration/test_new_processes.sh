#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Python processes that begin during the recording and live for 0.3 to 1 s: how much of their time
# gets Python names. What came before the names could be read is counted by its ending.
. "$(dirname "$0")/lib.sh"

need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
start_recorder -a -F 199 -o "$work/new.rec" || die "the recorder did not start"
number=0
for round in 1 2 3; do
	for python in "${pythons[@]}"; do
		# A second run of the same interpreter finds its layout known.
		number=$((number + 1))
		"${python#* }" "$tests/workloads/shares.py" --seconds "0.$((round * 2 + 1))" \
			>"$work/new.$number" || fail "shares.py failed"
	done
done
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_new_processes.py" "$work/new.rec" "$work"/new.[0-9]* || fail "names"
finish
