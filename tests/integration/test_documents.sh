#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README, manual and man pages against the program's own --help, and do the man pages render?
. "$(dirname "$0")/lib.sh"

root=${tests%/*}

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3"

echo "- what documents mention exists, and the other way round"
python3 -B "$here/check_documents.py" "$PIPESCOPE" "$root" || fail "documents"

render() {
	if command -v groff >/dev/null; then
		groff -man -Tutf8 -ww -z "$1" 2>&1
	else
		{ man --warnings -l "$1" >/dev/null; } 2>&1
	fi
}

echo "- man pages render without warnings"
if command -v groff >/dev/null || command -v man >/dev/null; then
	for page in "$root"/docs/man/*.1; do
		warnings=$(render "$page") || fail "${page##*/} does not render"
		[ -z "$warnings" ] || fail "${page##*/}: $warnings"
	done
elif [ "$failures" = 0 ]; then
	skip "all else passed; rendering the man pages needs groff or man"
fi
finish
