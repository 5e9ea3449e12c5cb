#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How `pipescope record` is started, ends and refuses.
. "$(dirname "$0")/lib.sh"

need_recorder
# Waits for the node to be free.
start_recorder -a -o "$work/free.rec" || die "the recorder did not start"
stop_recorder INT || fail "the recorder ended with status $?"

# record WANTED-STATUS WORDS OPTION...: in the foreground; its words must match the pattern.
record() {
	local wanted=$1 words=$2 status

	shift 2
	timeout -k 5 30 "$PIPESCOPE" record "$@" >"$work/out" 2>"$work/err"
	status=$?
	if [ -z "$recorder" ] && grep -q 'another recorder' "$work/err"; then
		skip "another recorder is at work on this node"
	fi
	[ $status = "$wanted" ] || fail "record $*: status $status instead of $wanted: $(cat "$work/err")"
	[ -z "$words" ] || grep -qiE -e "$words" "$work/err" ||
		fail "record $*: no word of '$words' in: $(cat "$work/err")"
	[ ! -s "$work/out" ] || fail "record $* printed on stdout: $(head -3 "$work/out")"
}

state() {
	sql "$1" "SELECT value FROM meta WHERE key = 'state'"
}

# complete FILE WHAT: closed in good order, and readable.
complete() {
	local found

	found=$(state "$1" 2>&1) || true
	[ "$found" = complete ] || fail "$2: the file's state is '$found'"
	"$PIPESCOPE" report "$1" >"$work/out" 2>"$work/err" || fail "$2: report: $(cat "$work/err")"
	if grep -qi incomplete "$work/out" "$work/err"; then
		fail "$2: report calls it incomplete"
	fi
	compgen -G "$1-*" >/dev/null && fail "$2: side files are left: $(compgen -G "$1-*")"
}

burner() {
	python3 -c 'import time
end = time.monotonic() + 60
while time.monotonic() < end: pass' &
	started+=($!)
}

echo "- the command's exit status is passed on"
record 7 "" -o "$work/exit.rec" -- sh -c 'exit 7'
complete "$work/exit.rec" "-- sh -c 'exit 7'"
record 0 "" -o "$work/zero.rec" -- true
record 143 "" -o "$work/signal.rec" -- sh -c 'kill -TERM $$'
record 127 "no-such-command" -o "$work/none.rec" -- no-such-command-here
[ "$(sql "$work/exit.rec" "SELECT COUNT(*) FROM process WHERE exit_code = 7")" -ge 1 ] ||
	fail "the command with status 7 is not in its recording"

echo "- the command's own words and input stay its own"
[ "$(echo in | "$PIPESCOPE" record -q -o "$work/words.rec" -- cat 2>/dev/null)" = in ] ||
	fail "the command's input or output got lost"

echo "- -d"
record 0 "recording to" -a -d 1 -o "$work/duration.rec"
complete "$work/duration.rec" "-d 1"
[ "$(sql "$work/duration.rec" "SELECT value >= 1000000000 FROM meta WHERE key = 'stop_ns'")" = 1 ] ||
	fail "-d 1 ended early"

echo "- -q"
"$PIPESCOPE" record -q -a -d 0.2 -o "$work/quiet.rec" 2>"$work/err" || fail "-q: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "-q is not quiet: $(cat "$work/err")"

echo "- -p takes samples of that process only"
burner
burner
wanted=${started[0]}
other=${started[1]}
sleep 0.3
record 0 "" -p "$wanted" -d 2 -o "$work/pid.rec"
sampled="SELECT DISTINCT pid FROM sample JOIN epoch ON epoch.id = epoch JOIN process ON process.id = process"
found=$(sql "$work/pid.rec" "$sampled" | xargs)
[ "$found" = "$wanted" ] || fail "-p $wanted has samples of: $found"
record 0 "" -p "$wanted,$other" -d 2 -o "$work/pids.rec"
found=$(sql "$work/pids.rec" "$sampled ORDER BY pid" | xargs)
[ "$found" = "$(printf '%s\n' "$wanted" "$other" | sort -n | xargs)" ] ||
	fail "-p $wanted,$other has samples of: $found"
kill "${started[@]}"
wait "${started[@]}" 2>/dev/null
started=()
record 1 "$wanted" -p "$wanted" -d 1 -o "$work/gone.rec"

for signal in INT TERM; do
	echo "- SIG$signal"
	start_recorder -a -o "$work/$signal.rec" || die "the recorder did not start"
	sleep 0.5
	stop_recorder $signal || fail "SIG$signal: status $?"
	complete "$work/$signal.rec" "SIG$signal"
done

echo "- a second recorder is refused, the first goes on"
start_recorder -a -o "$work/first.rec" || die "the recorder did not start"
record 1 "already|another|other" -a -d 1 -o "$work/second.rec"
[ ! -e "$work/second.rec" ] || fail "the refused recorder left a file"
runs "$recorder" || fail "the first recorder ended"
stop_recorder INT || fail "first of two recorders: status $?"
complete "$work/first.rec" "first of two recorders"

echo "- kill -9 leaves a file that opens"
start_recorder -a -o "$work/killed.rec" || die "the recorder did not start"
sleep 2.5
stop_recorder KILL 2>/dev/null
"$PIPESCOPE" report "$work/killed.rec" >"$work/out" 2>"$work/err" ||
	fail "kill -9: report: $(cat "$work/err")"
grep -qi incomplete "$work/out" "$work/err" || fail "kill -9: report does not say incomplete"
"$PIPESCOPE" report "$work/killed.rec" --by process --format json 2>/dev/null |
	python3 -c 'import json, sys; sys.exit(not json.load(sys.stdin)["rows"])' ||
	fail "kill -9: nothing of 2.5 s is in the file"
record 0 "" -a -d 0.2 -o "$work/after.rec"

echo "- who is not root is refused"
if command -v setpriv >/dev/null; then
	install -m 755 "$PIPESCOPE" "$work/pipescope"
	chmod 755 "$work"
	mkdir -m 777 "$work/open"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$work/pipescope" record -a -d 1 \
		-o "$work/open/nobody.rec" 2>"$work/err"
	status=$?
	[ $status = 1 ] || fail "as nobody: status $status"
	grep -qiE 'root|capabilit|CAP_' "$work/err" || fail "as nobody: $(cat "$work/err")"
	[ "$(wc -l <"$work/err")" -le 2 ] || fail "as nobody: more than one message: $(cat "$work/err")"
	[ ! -e "$work/open/nobody.rec" ] || fail "as nobody: a file is left"
else
	echo "  not tested: no setpriv"
fi

echo "- bad output and bad options"
record 1 "$work/no/such" -a -d 1 -o "$work/no/such/folder.rec"
record 1 "directory|no recording" -a -d 1 -o "$work"
for options in "-F 0" "-F 99999999" "-F x" "-d -1" "-d x" "-p x" "-p 0" "--sources nonsense" "--no-such-option"; do
	# shellcheck disable=SC2086
	record 2 "." $options -o "$work/usage.rec"
done
record 2 "." -a -p 1 -o "$work/usage.rec"
record 1 "no-such-rules" -a -d 1 --rules "$work/no-such-rules" -o "$work/usage.rec"
[ ! -e "$work/usage.rec" ] || fail "a refused recording left a file"

echo "- a full disk"
mkdir "$work/small"
if mount -t tmpfs -o size=400k tmpfs "$work/small" 2>/dev/null; then
	mounted=$work/small
	long=$(head -c 4000 /dev/zero | tr '\0' x)
	start_recorder -a -o "$work/small/full.rec" || die "no recorder on 400 KiB"
	for _ in $(seq 300); do
		sh -c : "$long"
	done
	if wait_for 15 not runs "$recorder"; then
		wait "$recorder"
		status=$?
		recorder=
	else
		echo "  it goes on without a disk: ended by a signal"
		stop_recorder INT
		status=$?
	fi
	[ $status = 1 ] || fail "full disk: status $status"
	grep -qiE 'no space|full' "$work/recorder.err" || fail "full disk: $(cat "$work/recorder.err")"
	"$PIPESCOPE" report "$work/small/full.rec" >"$work/out" 2>"$work/err" ||
		fail "full disk: report: $(cat "$work/err")"
	grep -qi incomplete "$work/out" "$work/err" || fail "full disk: report does not say incomplete"
	head -c 400k /dev/zero >"$work/small/rest" 2>/dev/null
	"$PIPESCOPE" export "$work/first.rec" --format collapsed -o "$work/small/out" 2>"$work/err"
	status=$?
	if [ $status != 1 ] || ! grep -q 'out: cannot be written: No space left on device' "$work/err"; then
		fail "full disk: export: status $status, $(cat "$work/err")"
	fi
	compgen -G "$work/small/out*" && fail "full disk: export leaves a file"
else
	echo "  not tested: cannot mount a tmpfs"
fi
finish
