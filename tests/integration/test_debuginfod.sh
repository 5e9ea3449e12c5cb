#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debug files from a server: one on this machine has that of a stripped C++ program. With its address in
# $DEBUGINFOD_URLS the program's lines and inlined functions are known; without it, nobody is asked. A
# server that never answers costs its time limit, not the recording.
. "$(dirname "$0")/lib.sh"

need_recorder
command -v "${CXX:-c++}" >/dev/null || skip "needs a C++ compiler"
command -v objcopy >/dev/null || skip "needs objcopy"
command -v debuginfod >/dev/null || skip "needs debuginfod, elfutils' server"
python3 -c 'import ctypes; ctypes.CDLL("libdebuginfod.so.1")' 2>/dev/null ||
	skip "needs libdebuginfod, which asks servers"
unset DEBUGINFOD_URLS
source=$tests/workloads/inlined.cc
mkdir "$work/served"
"${CXX:-c++}" -O2 -g -Wall -Wextra -Wl,--build-id -o "$work/whole" "$source" ||
	die "inlined.cc does not compile"
if ! objcopy --only-keep-debug "$work/whole" "$work/served/inlined.debug" ||
	! objcopy --strip-debug "$work/whole" "$work/served_only"; then
	die "objcopy failed"
fi

port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
env -u DEBUGINFOD_URLS HOME="$work" debuginfod -vv -F -d "$work/served.sqlite" -p "$port" \
	-c 1 "$work/served" >"$work/server.log" 2>&1 &
server=$!
started+=("$server")
build_id=$(readelf -n "$work/served_only" | sed -n 's/.*Build ID: //p')

# GET /buildid/ID/debuginfo of the server: whether it has the file.
# shellcheck disable=SC2317 # called by wait_for
serves() {
	python3 - "$port" "$1" <<-'END' 2>/dev/null
		import sys, urllib.request
		none = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		none.open("http://127.0.0.1:%s/buildid/%s/debuginfo" % tuple(sys.argv[1:]), timeout=2).read(1)
	END
}

wait_for 20 serves "$build_id" || skip "debuginfod does not serve here: $(tail -n 1 "$work/server.log")"

# requests: how often the recorder has asked for the file; this script has asked already.
requests() {
	grep -c "GET /buildid/$build_id/debuginfo" "$work/server.log"
}

# record_program NAME VARIABLE...: with these environment variables.
record_program() {
	local name=$1

	shift
	env no_proxy=127.0.0.1 DEBUGINFOD_CACHE_PATH="$work/cache.$name" "$@" \
		"$PIPESCOPE" record -F 499 -o "$work/$name.rec" -- "$work/served_only" 1.5 \
		>"$work/$name.out" 2>&1 || fail "record: $(cat "$work/$name.out")"
}

before=$(requests)
record_program unasked
[ "$(requests)" = "$before" ] || fail "the server was asked without DEBUGINFOD_URLS"
[ ! -e "$work/cache.unasked" ] || fail "something was fetched without DEBUGINFOD_URLS"
[ "$(sql "$work/unasked.rec" "SELECT count(*) FROM inline i JOIN function f ON f.id = i.function
	WHERE f.module LIKE '%/served_only'")" = 0 ] ||
	fail "inlined functions of a stripped program"

record_program asked DEBUGINFOD_URLS="http://127.0.0.1:$port"
[ "$(requests)" -gt "$before" ] || fail "the server was not asked"
python3 -B "$here/check_lines.py" "$work/asked.rec" "$source" served_only lines ||
	fail "lines from the server"

# Accepts and says nothing: the recorder gives up on it when it is to end.
python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(120)' >"$work/silent" &
started+=($!)
wait_for 10 test -s "$work/silent" || die "no silent server"
SECONDS=0
record_program silent DEBUGINFOD_URLS="http://127.0.0.1:$(cat "$work/silent")"
[ $SECONDS -lt 60 ] || fail "a silent server delayed the recording by $SECONDS s"
[ "$(sql "$work/silent.rec" "SELECT value > 0 FROM quality WHERE name = 'frames_without_lines'")" = 1 ] ||
	fail "lines that nobody told"
echo "asked $(($(requests) - before)) times; with a silent server it took $SECONDS s"
finish
