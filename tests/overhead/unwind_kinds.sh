#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What share of the code of all installed programs and libraries has rules that work in the innermost
# frame only, and how much has none: such code ends a stack as unsupported_rule.
# --smoke: the first 50 files. FOLDERS may be set.
. "$(dirname "$0")/../integration/lib.sh"

limit=100000
[ "${1:-}" != --smoke ] || limit=50
root=${tests%/*}
for archive in unwind base; do
	[ -r "$root/.output/user/$archive.a" ] || skip ".output/user/$archive.a is not built"
done
command -v "${CC:-cc}" >/dev/null || skip "needs a C compiler"
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -I"$root/user" -I"$root/include" \
	-o "$work/unwind_kinds" "$tests/overhead/unwind_kinds.c" "$root/.output/user/unwind.a" \
	"$root/.output/user/base.a" -lz || die "unwind_kinds.c does not compile"
read -r -a folders <<<"${FOLDERS:-/usr/bin /usr/sbin /usr/lib /usr/libexec ${PYENV_ROOT:-$HOME/.pyenv}/versions}"
find "${folders[@]}" -type f \( -name '*.so*' -o -perm -u+x \) 2>/dev/null | sort -u |
	head -n "$limit" >"$work/files"
"$work/unwind_kinds" <"$work/files" || die "no file has call-frame information"
finish
