#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_sources.sh [KERNEL...]: on each of Debian's kernels (default: 5.10 6.1), waits and file
# operations are what the workloads of the integration tests know of themselves: counts, bytes and
# errors exactly, times as exactly as an emulated CPU lets them be measured. The workloads run in the
# guest, the checks here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

slack=5 # times the tolerances of times
checks=tests/integration

# take NAME: a file that give.sh printed.
take() {
	sed -n "/^FILE $1\r*$/,/^END $1\r*$/p" "$work/guest" | sed '1d;$d' | base64 -di |
		gunzip >"$work/$1"
}

# What waits.py needs beyond the modules that Debian calls minimal.
list_modules() {
	/usr/bin/python3 -S - tests/workloads/waits.py <<-'END'
		import ast, sys
		with open(sys.argv[1], encoding="utf-8") as stream:
		    for node in ast.parse(stream.read()).body:
		        if isinstance(node, ast.Import):
		            for alias in node.names:
		                __import__(alias.name)
		import encodings.latin_1, encodings.utf_8
		for module in sorted(sys.modules.values(), key=lambda one: one.__name__):
		    path = getattr(module, "__file__", None)
		    if path and path.startswith("/usr/lib"):
		        print("%s:%s" % (path, path))
	END
}

# in_guest NAME KERNEL COMMAND...: false when the result is given already.
in_guest() {
	local name=$1 kernel=$2 status=0
	shift 2
	tests/vm/run.sh -m 1536 -f tests/vm/guest/give.sh "${files[@]}" "$kernel" -- "$@" \
		>"$work/guest" 2>"$work/errors" || status=$?
	[ "$status" != 0 ] || return 0
	if [ "$status" = 77 ]; then
		results_skip "$name" "$(sed -n 's/^SKIP: //p' "$work/errors" | tail -n 1)"
		return 1
	fi
	results_fail "$name" "exit status $status in the guest"
	tail -n 40 "$work/guest" "$work/errors"
	return 1
}

# check NAME COMMAND...
check() {
	local name=$1
	shift
	if "$@" >"$work/verdict" 2>&1; then
		results_pass "$name"
	else
		results_fail "$name" "see above"
	fi
	sed 's/^/    /' "$work/verdict"
}

test_waits() {
	local kernel=$1 set=$2 name="kernel $1 waits are as measured, and wakers right" file
	files=(-f tests/workloads/waits.py -f tests/vm/guest/waits.sh)
	while read -r file; do
		files+=(-f "$file")
	done < <(list_modules)
	in_guest "$name" "$kernel" sh /waits.sh "$set" || return 0
	take output && take report && take recording
	check "$name" python3 -B $checks/check_waits.py "$work/recording" "$work/output" \
		"$work/report" $slack
}

test_files() {
	local kernel=$1 name="kernel $1 files are as counted"
	if ! "${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -o "$work/files" tests/workloads/files.c \
		-lpthread; then
		results_fail "$name" "files.c does not compile"
		return
	fi
	files=(-f "$work/files:/files" -f tests/vm/guest/files.sh)
	in_guest "$name" "$kernel" sh /files.sh || return 0
	take output && take recording
	check "$name" python3 -B $checks/check_files.py "$work/recording" "$work/output" /tmp/folder
}

[ $# -gt 0 ] || set -- 5.10 6.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for kernel in "$@"; do
	test_files "$kernel"
	test_waits "$kernel" few
done
results_total
