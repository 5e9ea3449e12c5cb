#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files made and deleted one after the other: a file system gives a deleted file's inode number to
# the next one. Each has its own name all the same, with its own bytes.
. "$(dirname "$0")/lib.sh"

files=200
need_recorder
cat >"$work/reuse.py" <<'END'
import os
import sys

folder, count = sys.argv[1], int(sys.argv[2])
numbers = set()
for i in range(count):
    path = f"{folder}/t{i:03}"
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"x" * (i + 1))
    numbers.add(os.fstat(fd).st_ino)
    os.close(fd)
    os.unlink(path)
print(len(numbers))
END
mkdir "$work/files"
start_recorder --sources cpu,io -o "$work/reuse.rec" -- \
	python3 "$work/reuse.py" "$work/files" $files || die "the recorder did not start"
wait_for 30 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
numbers=$(cat "$work/recorder.out")
[ "$numbers" -lt $files ] || echo "note: this file system gave no inode number twice"
right=$(sql "$work/reuse.rec" "SELECT count(*) FROM (
	SELECT f.path, sum(i.count) AS writes, sum(i.bytes) AS bytes
	FROM io i JOIN file f ON f.id = i.file
	WHERE i.op = 'write' AND f.path LIKE '%/files/t%' GROUP BY f.path)
	WHERE writes = 1 AND bytes = 1 + substr(path, -3)")
echo "$files files, $numbers inode numbers; $right with one write of their own size"
[ "$right" = $files ] || fail "$right files of $files are right"
finish
