#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stacks of Python under C under Python, in each CPython: whether they reach the bottom, and whether
# Python and C frames come in the true order, by the program's own account. In short: two CPythons,
# some seconds each; --full: all of them, 4,000 samples each, leaves within 1 point.
. "$(dirname "$0")/chains.sh"

seconds=4
points=3
hz=199
need_recorder
need_native_stacks
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
if [ "${1:-}" = --full ]; then
	seconds=21
	points=1
else
	oldest_and_newest
fi
for each in "${pythons[@]}"; do
	python=${each#* }
	options=()
	if extension=$(build_extension "$python" mixed_ext.c); then
		options=(--extension "$extension")
	else
		echo "$python: without C leaves: $(extension_error)"
	fi
	check_stacks "$(python_title "$each")" cpu cpu $hz $seconds $points "$python" mixed.py \
		"${options[@]}"
done
finish
