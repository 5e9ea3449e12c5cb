#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Allocators of a command and its children while all of them begin other programs, and a library with
# allocators comes and goes: nothing is counted twice, only moments are left out, and windows follow each
# other without gaps.
. "$(dirname "$0")/lib.sh"

rounds=200
[ "${1:-}" != --full ] || rounds=1000
need_recorder
compile alloc_programs
echo 'void *tc_malloc(unsigned long size) { return (void *)size; } void tc_free(void *block) { (void)block; }' |
	"${CC:-cc}" -shared -fPIC -x c -o "$work/plugin.so" - || die "no plugin"
"$PIPESCOPE" record --sources cpu,alloc --max-overhead 2000 -o "$work/programs.rec" -- \
	"$work/alloc_programs" $rounds 3 "$work/plugin.so" >"$work/told" 2>"$work/programs.err" ||
	fail "record ended with status $?: $(tail -n 1 "$work/programs.err")"
python3 -B "$here/check_alloc_programs.py" "$work/programs.rec" "$(cat "$work/told")" || fail "counts"
finish
