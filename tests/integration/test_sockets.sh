#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sockets: bytes, calls and failures per remote equal to what a program did over TCP, UDP and Unix
# sockets, IPv4 and IPv6, with read, recv, recvmsg …; how long it waited for each; and the names that
# rules give. --full: longer.
. "$(dirname "$0")/lib.sh"

seconds=4
[ "${1:-}" != --full ] || seconds=20
need_recorder
python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null ||
	skip "no IPv6 here"

# Any free port may stand in for that of the database.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf '[remote test-database]\nprotocol = tcp\nport = %d\naddress = 127.0.0.0/8\nservice = registry database\nwait = registry_database\n' \
	"$port" >"$work/rules"
mkfifo "$work/go"
python3 "$tests/workloads/sockets.py" --seconds "$seconds" --database-port "$port" \
	<"$work/go" >"$work/sockets.out" &
workload=$!
started+=("$workload")
exec {go}>"$work/go"
wait_for 10 grep -q ready "$work/sockets.out" || die "sockets.py did not start"
start_recorder -a --sources cpu,offcpu,io --rules "$work/rules" -o "$work/a.rec" ||
	die "the recorder did not start"
echo >&"$go"
wait_for $((seconds + 20)) grep -q remotes "$work/sockets.out" || die "sockets.py printed nothing"
stop_recorder INT || fail "the recorder ended with status $?"
exec {go}>&-
wait "$workload" || fail "sockets.py failed"
"$PIPESCOPE" report "$work/a.rec" --by remote --format json >"$work/report.json" ||
	fail "report ended with status $?"
COLUMNS=160 "$PIPESCOPE" report "$work/a.rec" --by remote --where service='registry database' |
	grep -q "127.0.0.1:$port .*registry database" || fail "the text report does not name the service"
python3 -B "$here/check_sockets.py" "$work/a.rec" "$work/sockets.out" "$work/report.json" ||
	fail "remotes"
finish
