#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast .eh_frame becomes rows: million rows per second of CPU time on one core, the median of 9
# rounds over the C and C++ libraries and the Python of this machine (files are in the page cache).
# --smoke: one round. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"

rounds=${ROUNDS:-9}
[ "${1:-}" != --smoke ] || rounds=1
root=${tests%/*}
for archive in unwind base; do
	[ -r "$root/.output/user/$archive.a" ] || skip ".output/user/$archive.a is not built"
done
command -v "${CC:-cc}" >/dev/null || skip "needs a C compiler"
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -I"$root/user" -I"$root/include" \
	-o "$work/unwind_compile" "$tests/overhead/unwind_compile.c" "$root/.output/user/unwind.a" \
	"$root/.output/user/base.a" -lz || die "unwind_compile.c does not compile"

files=()
for name in libc.so.6 libm.so.6 libstdc++.so.6 libcrypto.so.3 libsqlite3.so.0 libpython3.11.so.1.0; do
	path=$("${CC:-cc}" -print-file-name="$name")
	[ "$path" = "$name" ] || files+=("$path")
done
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null)
[ -z "$python" ] || files+=("$python")
[ ${#files[@]} -gt 0 ] || skip "none of the files is here"

"$work/unwind_compile" 1 "${files[@]}" >/dev/null || die "unwind_compile failed"
"$work/unwind_compile" "$rounds" "${files[@]}" >"$work/rounds" || die "unwind_compile failed"
sort -k 2n "$work/rounds" | awk -v files=${#files[@]} '
	{ rows = $1; ns[NR] = $2 }
	END {
		printf "%d files, %d rows: median %.1f million rows/s", files, rows, rows / ns[int((NR + 1) / 2)] * 1e3
		printf " (%.1f … %.1f)\n", rows / ns[NR] * 1e3, rows / ns[1] * 1e3
	}'
finish
