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
python3 - "$work/order.json" "$work/recorder.out" "$real" <<'END' || fail "order of reads"
import json
import sys

rows = {row["file"]: row for row in json.load(open(sys.argv[1]))["rows"]}
failed = 0
for line in open(sys.argv[2]):
    name, sequential, strided, random, again = line.rsplit(" ", 4)
    row = rows[sys.argv[3] + "/" + name]
    found = [row["reads_" + order] for order in ("sequential", "strided", "random")]
    wanted = [int(sequential), int(strided), int(random)]
    # A read that meets the recorder on another CPU may be missing.
    if any(abs(a - b) > 2 for a, b in zip(found, wanted)):
        failed = 1
        print(f"FAIL: {name}: {found}, not {wanted}")
    if abs(row["read_again_estimated"] / float(again) - 1) > 0.05:
        failed = 1
        print(f"FAIL: {name}: read {row['read_again_estimated']} times, not {again}")
sys.exit(failed)
END
finish
