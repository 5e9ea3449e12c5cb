#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stacks of Python and C++ under each other: templates, virtual calls, exceptions and destructors, std::sort
# with a Python comparator, threads with and without Python, pybind11. In short: two CPythons, some
# seconds each; --full: all of them, 4,000 samples each, leaves within 1 point.
. "$(dirname "$0")/chains.sh"

seconds=4
pybind_seconds=2
points=3
hz=199
need_recorder
need_native_stacks
mapfile -t pythons < <(find_all_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
if [ "${1:-}" = --full ]; then
	seconds=21
	pybind_seconds=10
	points=1
else
	oldest_and_newest
	pybind_only=${pythons[-1]} # it takes long to compile
fi
for each in "${pythons[@]}"; do
	python=${each#* }
	title=$(python_title "$each")
	if extension=$(build_extension "$python" cxx_ext.cpp); then
		check_stacks "$title" cpu cpu $hz $seconds $points "$python" cxx.py \
			--extension "$extension"
	else
		echo "$python: not tested: $(extension_error)"
	fi
	[ "$each" = "${pybind_only:-$each}" ] || continue
	if extension=$(build_extension "$python" cxx_pybind.cpp); then
		# Half the samples, twice the error by chance.
		check_stacks "$title pybind11" cpu cpu $hz $pybind_seconds $((points * 2)) "$python" \
			cxx.py --extension "$extension"
	else
		echo "$python: pybind11 not tested: $(extension_error)"
	fi
done
[ "$checked" != 0 ] || skip "no extension could be built"
finish
