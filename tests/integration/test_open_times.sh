#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How long files are open: from open() to the close of the last descriptor, also when it was
# duplicated, inherited, replaced, mapped, left to the end of the process, or is open still.
. "$(dirname "$0")/lib.sh"

need_recorder
compile open_times
mkdir "$work/files"
start_recorder --sources cpu,io -o "$work/recording" -- "$work/open_times" "$work/files" ||
	die "the recorder did not start"
wait_for 20 grep -q '"now"' "$work/recorder.out" || die "open_times printed nothing"
sleep 1.2 # into another slice
stop_recorder INT || fail "the recorder ended with status $?"
"$PIPESCOPE" report "$work/recording" --by file -n 0 --format json >"$work/report" ||
	die "no report"
COLUMNS=300 "$PIPESCOPE" report "$work/recording" --by file -n 0 >"$work/text" || die "no report"
grep -q 'open for .*longest .*still open' "$work/text" || fail "the report lacks columns"
python3 -B "$here/check_open_times.py" "$work/recording" "$work/recorder.out" "$work/report" \
	"$work/files" || fail "times from open to close"
finish
