#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shares of CPU with three threads that fight for the GIL, and with native code that releases it;
# in the oldest and the newest CPython here. At 997 Hz: threads that take turns are sampled with
# more noise.
. "$(dirname "$0")/lib.sh"

need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
start_recorder -a -F 997 -o "$work/threads.rec" || die "the recorder did not start"
number=0
for python in "${pythons[0]#* }" "${pythons[-1]#* }"; do
	for set in python native; do
		number=$((number + 1))
		"$python" "$tests/workloads/shares.py" --set $set --threads 3 --seconds 2 \
			>"$work/shares.$number" || fail "shares.py failed"
	done
done
stop_recorder INT || fail "the recorder ended with status $?"
"$PIPESCOPE" report "$work/threads.rec" --by process,function --format json >"$work/report.json" ||
	fail "report ended with status $?"
python3 -B "$here/check_shares.py" "$work/threads.rec" "$work/report.json" "$work"/shares.[0-9]* ||
	fail "shares"
finish
