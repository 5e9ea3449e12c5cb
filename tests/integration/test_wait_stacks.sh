#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Where a program waits and reads: the same whole stacks as those of samples, of C++ called by Python
# called by C++. In short: the oldest and the newest CPython; --full: all of them.
. "$(dirname "$0")/chains.sh"

need_recorder
need_native_stacks
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
[ "${1:-}" = --full ] || oldest_and_newest
for each in "${pythons[@]}"; do
	python=${each#* }
	if ! extension=$(build_extension "$python" cxx_ext.cpp); then
		echo "$python: not tested: $(extension_error)"
		continue
	fi
	check_stacks "$(python_title "$each")" cpu,offcpu,io offcpu 99 3 5 "$python" cxx.py \
		--set waits --extension "$extension"
	# Of the leaves only one reads.
	python3 -B "$here/check_chains.py" --title "  … operations" --metric io_time --only read_leaf --points 3 \
		"$work/$((checked - 1)).rec" "$work/stacks.$((checked - 1))" || fail "operations of $python"
done
[ "$checked" != 0 ] || skip "no extension could be built"
finish
