#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sequential, strided and random reads are told apart, and how often the same bytes are read is known.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
compile read_order
mkdir "$work/data"
real=$(realpath "$work/data")
start_recorder --sources cpu,io -o "$work/order.rec" -- "$work/read_order" "$work/data" ||
	die "the recorder did not start"
wait_for 30 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
COLUMNS=180 "$PIPESCOPE" report "$work/order.rec" --by file --where "file=$real/*" || fail "report"
"$PIPESCOPE" report "$work/order.rec" --by file --where "file=$real/*" -f json >"$work/order.json" ||
	fail "report -f json"
python3 -B "$here/check_read_order.py" "$work/order.json" "$work/recorder.out" "$real" ||
	fail "order of reads"
finish
