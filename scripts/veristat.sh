#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# veristat.sh [--update] [KERNEL]: how many instructions the verifier walked for each BPF program,
# on this kernel or on KERNEL in a VM (tests/vm/run.sh), against tests/vm/verified.txt. Fails when a
# program does not load, is stored but gone, or grew by more than a fifth.
#   --update  store the figures of this kernel instead
# 'pipescope doctor --load' prints a line "PROGRAM INSTRUCTIONS" for each, and fails when the kernel
# refuses one.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/results.sh
. scripts/results.sh

table=tests/vm/verified.txt
series=

# Sets series (5.10, 6.1 …) and leaves the doctor's lines in $work/loaded.
load_programs() {
	local kernel=$1 status=0
	if [ -n "$kernel" ]; then
		tests/vm/run.sh "$kernel" -- pipescope doctor --load >"$work/output" || status=$?
		series=$kernel
	else
		.output/pipescope doctor --load >"$work/output" || status=$?
		series=$(uname -r | grep -oE '^[0-9]+\.[0-9]+')
	fi
	grep -E '^[a-z][a-z0-9_]* [0-9]+$' "$work/output" >"$work/loaded" || true
	return "$status"
}

store_table() {
	{
		grep '^#' "$table" 2>/dev/null ||
			echo '# kernel program verified-instructions; written by scripts/veristat.sh --update'
		{
			grep -v -e '^#' -e "^${series/./\\.} " "$table" 2>/dev/null || true
			awk -v series="$series" '{ print series, $1, $2 }' "$work/loaded"
		} | sort -V
	} >"$work/table"
	cat "$work/table" >"$table"
}

compare_program() {
	local program=$1 insns=$2 stored
	stored=$(awk -v series="$series" -v program="$program" \
		'$1 == series && $2 == program { print $3 }' "$table")
	if [[ ! $stored =~ ^[0-9]+$ ]]; then
		results_pass "verified $series $program ($insns, none stored)"
	elif [ $((insns * 100)) -gt $((stored * 120)) ]; then
		results_fail "verified $series $program" "grew from $stored to $insns instructions"
	else
		results_pass "verified $series $program ($insns, stored $stored)"
	fi
}

find_gone() {
	local program
	while read -r program; do
		results_fail "verified $series $program" "is in $table, but was not loaded"
	done < <(comm -23 <(awk -v series="$series" '$1 == series { print $2 }' "$table" | sort) \
		<(cut -d ' ' -f 1 "$work/loaded" | sort))
}

update=
kernel=
for argument in "$@"; do
	case $argument in
	--update) update=1 ;;
	-*)
		echo "Usage: veristat.sh [--update] [KERNEL]" >&2
		exit 2
		;;
	*) kernel=$argument ;;
	esac
done
if [ ! -x .output/pipescope ]; then
	echo "veristat: .output/pipescope is not built (make)" >&2
	exit 1
fi
[ -e "$table" ] || : >"$table"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
load_programs "$kernel" || status=$?
if [ "$status" = 77 ]; then
	exit 77
fi
if [ "$status" != 0 ] || [ ! -s "$work/loaded" ]; then
	tail -n 60 "$work/output"
	results_fail "verified ${series:-$kernel}" "pipescope doctor --load: exit status $status"
fi
if [ -n "$update" ] && [ "$results_failed" = 0 ]; then
	store_table
	echo "veristat: stored $(wc -l <"$work/loaded") programs of $series in $table" >&2
fi
while read -r program insns; do
	compare_program "$program" "$insns"
done <"$work/loaded"
[ "$status" != 0 ] || find_gone
results_total
