#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# matrix.sh [--tests "TEST..."] [--write FILE] [KERNEL...]: what the tests of this folder say of each kernel (default: all
# that kernel.sh knows), and at the end a table, kernel by test. TEST: ceph, kernels, sources, storage. --write puts the table into FILE, as
# docs/KERNELS.md has it; what this run did not do keeps the cell that it has in FILE. Each kernel takes some
# minutes; --tests "" runs nothing and prints what PIPESCOPE_VM_LOGS has. PIPESCOPE_VM_LOGS: a folder for what the tests
# print; what has its total there already is not run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

# TITLE  RUNNER  PATTERN: the results that are one row of the table.
rows() {
	cat <<-'ROWS'
		every BPF program loads|kernels|^[A-Za-z]* (verified|kernel [^ ]* loads)
		Python functions have names|kernels|recording names Python functions
		a CPU goes and comes back|kernels|a CPU goes and comes back
		file operations as counted|sources|files are as counted
		waits as measured, and wakers|sources|waits are as measured
		sockets as counted|sources|sockets are as counted
		copies, locks, links, attributes …|storage|calls of all kinds
		requests of io_uring|storage|requests of io_uring
		order of reads|storage|order of reads
		time from open to close|storage|files are open
		dataset types|storage|dataset types
		torn files, also by out of memory|storage|torn f
		throughput by task|storage|throughput
		CephFS: requests by function, and mount|ceph|ceph: [a-z_]*:? [a-z]*:
		CephFS: the client's own sums|ceph|ceph: /mnt/
		CephFS: all else|ceph|(ceph: (nothing|read:|capab|histog|report|requests|a mount)|CephFS's client)
	ROWS
}

release_of() {
	local image
	image=$(tests/vm/kernel.sh "$1" 2>/dev/null) || return 0
	# The boot protocol has the place of the version's text at 0x20e, less the first sector.
	python3 -c '
import sys
image = open(sys.argv[1], "rb").read(65536)
start = int.from_bytes(image[0x20E:0x210], "little") + 0x200
print(image[start:].split(b" ")[0].decode())' "$image"
}

# earlier_cell TITLE KERNEL: what the document says that is to be written.
earlier_cell() {
	local found
	found=$(awk -F ' *[|] *' -v title="$1" -v kernel="$2:" '
		$2 == "test" { for (i = 3; i <= NF; i++) if (index($i, kernel) == 1) column = i }
		$2 == title && column { print $column }' "${output:-/dev/null}" 2>/dev/null) || true
	echo "${found:-not run}"
}

# cell KERNEL RUNNER PATTERN TITLE
cell() {
	local log=$logs/$2-$1 passed failed skipped
	if [ ! -e "$log" ]; then
		earlier_cell "$4" "$1"
		return
	fi
	passed=$(grep -E '^pass ' "$log" | grep -cE -- "$3") || true
	failed=$(grep -E '^FAIL ' "$log" | grep -cE -- "$3") || true
	skipped=$(grep -E '^skip ' "$log" | grep -cE -- "$3") || true
	if [ "$failed" != 0 ]; then
		echo "FAIL ($failed of $((passed + failed)))"
	elif [ "$skipped" != 0 ]; then
		echo "skipped"
	elif [ "$passed" = 0 ]; then
		echo "-"
	else
		echo "pass${passed:+ ($passed)}"
	fi
}

print_table() {
	local title runner pattern kernel way
	printf '| test |'
	for kernel in "$@"; do
		printf ' %s: %s |' "$kernel" "$(release_of "$kernel")"
	done
	printf '\n|---|'
	for kernel in "$@"; do
		printf -- '---|'
	done
	echo
	while IFS='|' read -r title runner pattern; do
		printf '| %s |' "$title"
		for kernel in "$@"; do
			printf ' %s |' "$(cell "$kernel" "$runner" "$pattern" "$title")"
		done
		echo
	done < <(rows)
	printf '| CephFS is followed by |'
	for kernel in "$@"; do
		way=$(sed -n 's/^ *followed by \([a-z]*\) on .*/\1/p' "$logs/ceph-$kernel" 2>/dev/null | head -n 1) || true
		printf ' %s |' "${way:-$(earlier_cell 'CephFS is followed by' "$kernel")}"
	done
	echo
}

write_document() {
	cat <<-'HEAD'
		# Kernels

		What the tests of `tests/vm/` say of Debian's kernels in emulated machines: `make check-vm` runs them all, prints this table, and `tests/vm/matrix.sh --write docs/KERNELS.md` writes it
		here. In brackets: how many results there were; what the latest run did not do is that of a run before. `stable` is the newest kernel that Debian's unstable suite has, `newest` the newest of all. CephFS is a real cluster of a monitor, a storage
		server and a metadata server in the same guest, mounted twice by the kernel; what is compared with what stands in `tests/vm/test_ceph.sh`.

	HEAD
	cat "$work/table"
}

output=
runners="ceph kernels sources storage"
while [[ ${1:-} == --* ]]; do
	case $1 in
	--tests) runners=${2?tests to run} ;;
	--write) output=${2:?a file to write to} ;;
	*)
		echo "Usage: matrix.sh [--tests \"TEST...\"] [--write FILE] [KERNEL...]" >&2
		exit 2
		;;
	esac
	shift 2
done
[ $# -gt 0 ] || set -- 5.10 6.1 6.12 stable newest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=${PIPESCOPE_VM_LOGS:-$work}
mkdir -p "$logs"
for runner in $runners; do
	for kernel in "$@"; do
		log=$logs/$runner-$kernel
		if ! grep -q '^total: ' "$log" 2>/dev/null; then
			"tests/vm/test_$runner.sh" "$kernel" 2>&1 </dev/null | tee "$log" |
				grep --line-buffered -v '^total: ' || true
		fi
		results_add "$log" ||
			results_fail "kernel $kernel test_$runner.sh" "ended before its total"
	done
done
print_table "$@" >"$work/table"
cat "$work/table"
[ -z "$output" ] || write_document >"$output"
results_total
