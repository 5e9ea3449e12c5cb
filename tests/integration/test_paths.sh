#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Files are found under their right paths through a bind mount and a chroot, after renames of them and
# of their folders, and when they are deleted.
. "$(dirname "$0")/lib.sh"

need_recorder
need_host_root
mkdir "$work/data" "$work/data/real" "$work/data/bound"
real=$(realpath "$work/data")
mount --bind "$real/real" "$real/bound" 2>/dev/null || skip "cannot mount"
mounted=$real/bound
start_recorder -a --sources cpu,io -o "$work/paths.rec" || die "the recorder did not start"
python3 "$tests/workloads/paths.py" "$work/data" >"$work/paths.out" || die "paths.py"
stop_recorder INT || fail "the recorder ended with status $?"
"$PIPESCOPE" report "$work/paths.rec" --by op,file --where "file=$real/*" -f json >"$work/paths.json" ||
	fail "report --by op,file"
python3 -B "$here/check_paths.py" "$work/paths.json" "$work/paths.out" "$real" || fail "paths"
finish
