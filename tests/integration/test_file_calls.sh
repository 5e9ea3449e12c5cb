#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copies inside the kernel, allocation, mappings and their faults, links, attributes, locks and
# io_uring: each call is counted once, under its file, with its bytes and its errno.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
compile file_calls
mkdir -m 755 "$work/calls"
chmod 755 "$work"
options=()
doctor=$("$PIPESCOPE" doctor 2>/dev/null)
grep -q "yes *requests of io_uring" <<<"$doctor" || options+=(--no-uring)
grep -q "yes *faults on mapped files" <<<"$doctor" || options+=(--no-faults)
# A file in memory has no faults that the kernel tells of.
[ "$(stat -f -c %T "$work")" != tmpfs ] || options+=(--no-faults)
[ ${#options[@]} = 0 ] || echo "note: without what this kernel does not tell: ${options[*]}"

start_recorder --sources cpu,io -o "$work/calls.rec" -- "$work/file_calls" "$work/calls" "${options[@]}" ||
	die "the recorder did not start"
wait_for 30 not runs "$recorder" || die "the recorder did not end"
wait "$recorder" || fail "the recorder ended with status $?"
recorder=
mv "$work/recorder.out" "$work/calls.out"
python3 -B "$here/check_files.py" "$work/calls.rec" "$work/calls.out" "$work/calls" ||
	fail "calls on files"

if [[ " ${options[*]} " != *" --no-uring "* ]]; then
	sent=$(sql "$work/calls.rec" "SELECT SUM(bytes) FROM io JOIN file ON file.id = io.file
		WHERE file.path LIKE 'tcp 127.0.0.1:%' AND file.path NOT LIKE '%(own end)'")
	[ "$sent" = 21400 ] || fail "$sent bytes of sockets by io_uring to and from their other ends"
fi

# The wait for the lock that the child holds, and the time of copies, are where they belong.
waited=$(sql "$work/calls.rec" "SELECT SUM(ns) / 1000000 FROM io JOIN file ON file.id = io.file
	WHERE op = 'lock' AND file.path LIKE '%/calls/from'")
[ "${waited:-0}" -ge 80 ] || fail "waited ${waited:-0} ms for a lock that was held for 100"
[ "$(sql "$work/calls.rec" "SELECT SUM(ns) FROM io WHERE op = 'copy_to'")" = 0 ] ||
	fail "the time of copies counts twice"
finish
