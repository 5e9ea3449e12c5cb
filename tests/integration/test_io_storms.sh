#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Storms of small reads and of stats are named with the Python line that makes them, look-ups of what
# is not there with the folders that were searched.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
mkdir "$work/data"
start_recorder --sources cpu,io -o "$work/storms.rec" -- \
	python3 "$tests/workloads/io_storms.py" "$work/data" || die "the recorder did not start"
wait_for 30 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
COLUMNS=250 "$PIPESCOPE" report "$work/storms.rec" >"$work/page" || fail "report"
sed -n '/^Storms of/,$p' "$work/page" | sed '/^$/q'
python3 -B "$here/check_io_storms.py" "$work/page" "$work/recorder.out" || fail "storms"
finish
