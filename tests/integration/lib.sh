# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the live tests share; sourced by each of them. A test exits 0 (passed), 1 (failed) or 77
# (skipped: its last line says why). $PIPESCOPE is the program under test.

set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tests=${here%/*}
PIPESCOPE=${PIPESCOPE:-${tests%/*}/.output/pipescope}
work=$(mktemp -d "${TMPDIR:-/tmp}/pipescope-test.XXXXXX") || exit 1
recorder=
launcher=() # runs the recorder, when it is not the shell itself
mounted=
started=()
failures=0

# Ends only what this test started.
clean_up() {
	local pid

	for pid in $recorder "${started[@]}"; do
		kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	[ -z "$mounted" ] || umount "$mounted"
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

skip() {
	echo "SKIP: $*"
	exit 77
}

# Counts; the test goes on, and finish makes it fail.
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

die() {
	echo "FAIL: $*"
	exit 1
}

finish() {
	if [ "$failures" -gt 0 ]; then
		echo "$failures checks failed"
		exit 1
	fi
	exit 0
}

need_recorder() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
	command -v python3 >/dev/null || skip "needs python3 to read the recording"
}

# compile NAME: tests/workloads/NAME.c → $work/NAME
compile() {
	command -v "${CC:-cc}" >/dev/null || skip "needs a C compiler"
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -o "$work/$1" \
		"$tests/workloads/$1.c" -lpthread || die "$1.c does not compile"
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds.
wait_for() {
	local tries=$(($1 * 20))

	shift
	until "$@"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# A pid is alive, and no zombie that nobody has waited for.
runs() {
	local state

	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
	[ -n "$state" ] && [ "$state" != Z ]
}

recorder_spoke_or_ended() {
	grep -q 'recording to' "$work/recorder.err" || ! runs "$recorder"
}

# start_recorder OPTION...: in the background, until it is ready to sample. Its words go to
# $work/recorder.err. Fails when it ended instead. Somebody else's recorder is no fault of ours: that
# is waited for.
start_recorder() {
	local deadline=$((SECONDS + 20))

	while :; do
		: >"$work/recorder.err"
		"${launcher[@]}" "$PIPESCOPE" record "$@" >"$work/recorder.out" 2>"$work/recorder.err" &
		recorder=$!
		wait_for 30 recorder_spoke_or_ended
		! grep -q 'recording to' "$work/recorder.err" || return 0
		grep -q 'another recorder' "$work/recorder.err" || break
		recorder=
		[ $SECONDS -lt $deadline ] || skip "another recorder is at work on this node"
		sleep 0.5
	done
	sed 's/^/    /' "$work/recorder.err"
	return 1
}

# stop_recorder SIGNAL: returns its exit status.
stop_recorder() {
	local status pid=$recorder

	kill "-$1" "$pid"
	if ! wait_for 30 not runs "$pid"; then
		echo "    the recorder did not end"
		return 99
	fi
	{ wait "$pid"; } 2>/dev/null
	status=$?
	recorder=
	return $status
}

not() {
	! "$@"
}

# sql FILE STATEMENT: rows with columns separated by '|'.
sql() {
	python3 - "$1" "$2" <<-'END'
		import sqlite3, sys
		for row in sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute(sys.argv[2]):
		    print("|".join("" if value is None else str(value) for value in row))
	END
}

# python_lines LIST_OF_COMMANDS...: each CPython from 3.8 on among them once: lines "VERSION PATH".
python_lines() {
	local candidate own

	for candidate in "$@"; do
		# One that runs in a chroot has another name there.
		own=
		[ -z "$(chroot_of "$candidate")" ] || own=$candidate
		"$candidate" -c '
import os, platform, sys
if sys.version_info >= (3, 8) and platform.python_implementation() == "CPython":
    print("%d.%d" % sys.version_info[:2], sys.argv[1] or os.path.realpath(sys.executable))' "$own" 2>/dev/null
	done | sort -u | sort -t. -k2n
}

# chroot_of PYTHON: the root that it runs in, nothing when it is this machine's (tests/pythons/fetch.sh).
chroot_of() {
	case $1 in
	*/sid-3.*/bin/python3.*) echo "${1%/bin/*}/root" ;;
	esac
}

# Every CPython from 3.8 on that is installed or that $PIPESCOPE_TEST_PYTHONS names (colons between
# them): lines "VERSION PATH", each executable once.
find_pythons() {
	local -a candidates

	mapfile -t candidates < <(
		compgen -c python3 | grep -E '^python3(\.[0-9]+)?$' | sort -u |
			while read -r name; do type -ap "$name"; done
		ls -d /usr/bin/python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 2>/dev/null
		tr : '\n' <<<"${PIPESCOPE_TEST_PYTHONS:-}"
	)
	python_lines "${candidates[@]}"
}

# The same, and those of newer Debian suites that tests/pythons/fetch.sh has fetched or can fetch.
# What cannot be had is said on stderr.
find_all_pythons() {
	local version path
	local -a fetched=()

	for version in 3.13 3.14; do
		path=$("$tests/pythons/fetch.sh" "$version") && fetched+=("$path")
	done
	{
		find_pythons
		python_lines "${fetched[@]}"
	} | sort -u | sort -t. -s -k2n
}

# Files are named as the host sees them, so in a chroot they have other names than here.
# Process 1 may be closed even to root; process 2 is the kernel's own.
need_host_root() {
	local pid root=
	for pid in 1 2; do
		root=$(stat -Lc %d:%i "/proc/$pid/root" 2>/dev/null) && break
	done
	[ "$root" = "$(stat -Lc %d:%i /)" ] || skip "in a chroot files have the host's names"
}
