# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests that run a workload in a guest and check here what it gave (guest/give.sh). They
# set work, a folder, and files, options of run.sh.

# take NAME: a file that give.sh printed.
# shellcheck disable=SC2154 # work and files are the caller's
take() {
	sed -n "/^FILE $1\r*$/,/^END $1\r*$/p" "$work/guest" | sed '1d;$d' | base64 -di |
		gunzip >"$work/$1"
}

# list_modules SCRIPT: what it needs beyond the modules that Debian calls minimal.
list_modules() {
	/usr/bin/python3 -S - "$1" <<-'END'
		import ast, sys
		with open(sys.argv[1], encoding="utf-8") as stream:
		    for node in ast.parse(stream.read()).body:
		        if isinstance(node, ast.Import):
		            for alias in node.names:
		                __import__(alias.name)
		import encodings.idna, encodings.latin_1, encodings.utf_8
		for module in sorted(sys.modules.values(), key=lambda one: one.__name__):
		    path = getattr(module, "__file__", None)
		    if path and path.startswith("/usr/lib"):
		        print("%s:%s" % (path, path))
	END
}

# in_guest NAME KERNEL COMMAND...: false when the result is given already. With ceph=-c also a Ceph
# cluster.
in_guest() {
	local name=$1 kernel=$2 status=0
	shift 2
	# shellcheck disable=SC2154,SC2086 # files is the caller's; ceph may be no word at all
	tests/vm/run.sh ${ceph:-} -t 600 -m 2048 -f tests/vm/guest/give.sh "${files[@]}" "$kernel" -- "$@" \
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
