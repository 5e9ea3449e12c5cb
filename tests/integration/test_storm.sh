#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A storm of Python processes that live 0.2 to 1 s: 95 of 100 of their stacks reach the bottom and have
# names, from their first instruction to their last. 24 processes; --full: 300.
. "$(dirname "$0")/chains.sh"

count=24
need_recorder
need_native_stacks
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
[ "${1:-}" != --full ] || count=300
start_recorder -a -F 199 --sources cpu -o "$work/storm.rec" || die "the recorder did not start"
python3 -B "$tests/workloads/storm.py" $count "$(($(nproc) + 1))" "${pythons[@]#* }" >"$work/storm" ||
	fail "storm.py failed"
stop_recorder INT || fail "the recorder ended with status $?"
[ -z "${KEEP:-}" ] || cp "$work/storm.rec" "$work/storm" "$KEEP"
python3 -B "$here/check_storm.py" "$work/storm.rec" "$work/storm" $count || fail "stacks"
finish
