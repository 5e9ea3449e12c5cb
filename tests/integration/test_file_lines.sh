#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Operations are found under the function and the thread that made them, file by file.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
python=$(find_pythons | tail -n 1)
[ -n "$python" ] || skip "no CPython 3.8 or later"
mkdir "$work/data"
real=$(realpath "$work/data")
start_recorder --sources cpu,io -o "$work/files.rec" -- "${python#* }" -B \
	"$tests/workloads/file_lines.py" "$real" || die "the recorder did not start"
wait_for 60 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
COLUMNS=120 "$PIPESCOPE" report "$work/files.rec" --by line,file --where "file=$real/*" --limit 8 ||
	fail "report"
for by in function,file,op thread,file; do
	"$PIPESCOPE" report "$work/files.rec" --by $by --where "file=$real/*" -f json \
		>"$work/$by.json" || fail "report --by $by"
done
python3 - "$work" "$work/recorder.out" <<'END' || fail "operations of functions and threads"
import collections
import json
import sys

folder, output = sys.argv[1:]
by_function = json.load(open(folder + "/function,file,op.json"))["rows"]
by_thread = json.load(open(folder + "/thread,file.json"))["rows"]
failed = 0

def check(text, found, wanted, tolerance):
    global failed
    if wanted and abs(found / wanted - 1) > tolerance:
        failed = 1
        print(f"FAIL: {text}: {found:.0f}, not {wanted}")

lines = [line.split() for line in open(output)]
workers = {function: path for function, path, *_ in lines}
for function, path, op, count, size in lines:
    rows = [r for r in by_function if r["file"] == path and r["op"] == op]
    total = [r["total"] for r in rows if r["function"] == function]
    found = sum(sum(r["ops"].values()) for r in total)
    moved = sum(r["read_bytes"] + r["write_bytes"] for r in total)
    print(f"{function:18} {op:6} {found:9.0f} of {count}, {moved / 1e6:.1f} of {int(size) / 1e6:.1f} MB")
    if int(count) > 10000: # else there are few samples of its number
        check(function, found, int(count), 0.25)
    if int(size) > 50e6:
        check(function + ": bytes", moved, int(size), 0.1)
for row in by_function:
    if workers.get(row["function"], row["file"]) != row["file"]:
        failed = 1
        print(f"FAIL: {row['function']} at {row['file']}")

# Each worker has a thread of its own; the first one made the files.
threads = collections.defaultdict(set)
for row in by_thread:
    if row["thread"] not in (row["pid"], None):
        threads[row["thread"]].add(row["file"])
if len(threads) != len(workers) or any(len(files) > 1 for files in threads.values()):
    failed = 1
    print(f"FAIL: files of threads: {dict(threads)}")
sys.exit(failed)
END
finish
