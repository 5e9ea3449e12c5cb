#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `pipescope top` in a terminal (tmux): every key, names made to harm, the terminal put back whatever
# ends it, and memory that does not grow. --full: growth over 5 minutes.
. "$(dirname "$0")/lib.sh"

need_recorder
command -v tmux >/dev/null || skip "needs tmux (scripts/setup.sh test)"
export LC_ALL=C.UTF-8
# What a recorder meets in its first minute takes memory; after that only what is new to it does.
seconds=6 warming=2 percent=50
[ "${1:-}" != --full ] || seconds=300 warming=60 percent=20

export TMUX_TMPDIR=$work
socket=own
terminal=$work/terminal
mux() {
	tmux -L "$socket" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null; clean_up' EXIT

picture() {
	mux capture-pane -p -t top
}

shows() {
	picture | grep -qE -- "$1"
}

# expect PATTERN WHAT: within some seconds.
expect() {
	wait_for 15 shows "$1" && return
	fail "$2: '$1' is not shown:"
	picture | sed 's/^/    |/'
}

expect_not() {
	wait_for 15 not shows "$1" && return
	fail "$2: '$1' is still shown:"
	picture | sed 's/^/    |/'
}

press() {
	mux send-keys -t top "$@"
}

# filter TEXT: a key at a time; a process that presses them all has the text in its command line.
filter() {
	local i

	press /
	for ((i = 0; i < ${#1}; i++)); do
		press -l -- "${1:i:1}"
	done
	press Enter
}

# open_terminal WIDTH HEIGHT: with a shell that says how things ended.
open_terminal() {
	mux kill-server 2>/dev/null
	mux new-session -d -s top -x "$1" -y "$2" "PS1='shell> ' bash --norc --noprofile" ||
		skip "tmux cannot start here"
	expect 'shell>' "the shell"
}

# start_top OPTION...
start_top() {
	press "stty -a > $terminal.before; $PIPESCOPE top $*; echo \"status \$?\"; stty -a > $terminal.after" Enter
	wait_for 40 shows 'by CPU|processes|tasks|another recorder|status' || fail "top does not start"
	! shows 'another recorder' || skip "another recorder is at work on this node"
}

# ended STATUS WHAT: the shell is back, and the terminal as it was.
ended() {
	expect "status $1" "$2"
	wait_for 5 test -s "$terminal.after"
	cmp -s "$terminal.before" "$terminal.after" || fail "$2: the terminal's settings differ"
	[ "$(mux display-message -p -t top '#{alternate_on}#{cursor_flag}')" = 01 ] ||
		fail "$2: another screen or no cursor is left"
	rm -f "$terminal.after"
}

# The display is the child of top that is no recorder; all of top is in one group but that.
pids_of_top() {
	pgrep -P "$(mux display-message -p -t top '#{pane_pid}')" -f ' top '
}
child_of_top() {
	local top name=$1 pid

	top=$(pids_of_top | head -n 1)
	for pid in $(pgrep -P "$top"); do
		if [ "$(ps -o pgid= -p "$pid" | tr -d ' ')" = "$pid" ]; then
			[ "$name" != recorder ] || echo "$pid"
		else
			[ "$name" != display ] || echo "$pid"
		fi
	done
}

input=$work/$'in\e[7m\nput.dat'
head -c 100000 /dev/zero >"$input"
printf '[process top-test]\nprogram = top_work.py\ntask = toptask\n' >"$work/top.rules"
"$PIPESCOPE" rules check "$work/top.rules" >/dev/null || die "the test's rules"
# Names as a hostile user could choose them: of files, and of commands.
hostile=($'hostile q\'uo"te`true`' 'hostile <script>alert(1)<|script>' $'hostile two\nlines\ttab'
	$'hostile \xff\xfein\xc3valid' $'hostile \e]0;title\a\x9b2J' $'hostile \u202eturned' '=hostile|cmd')
# shellcheck disable=SC2016 # they are meant as they stand
shown=('hostile q.uo"te`true`' 'hostile <script>alert\(1\)<' 'hostile two\\x0alines\\x09tab'
	'hostile \\xff\\xfein\\xc3valid' 'hostile \\x1b\]0;title\\x07\\x9b2J' 'hostile \\u\{202e\}turned' '=hostile\|cmd')
others=()
for name in "${hostile[@]}"; do
	printf x >"$work/$name"
	others+=("$work/$name")
	(exec -a "$name" sleep 600) &
	started+=($!)
done
(exec -a "hostile $(printf 'ns::Template<%.0s' {1..300})" sleep 600) & # 3,900 characters
started+=($!)
python3 "$tests/workloads/top_work.py" 600 "$input" "${others[@]}" &
work_pid=$!
started+=("$work_pid")
evil=$work/$'ev\e[2J\nil'
cp "$(command -v sleep)" "$evil"
"$evil" 600 &
started+=($!)

# Prints the pid.
start_long_names() {
	c++ -O1 -o "$work/long_names" "$tests/workloads/long_names.cc" 2>/dev/null || return
	nice "$work/long_names" 60 >/dev/null 2>&1 &
	echo $!
}

echo "- the list"
open_terminal 120 40
start_top --rules "$work/top.rules" --interval 1 --window 2
expect "^toptask +[1-9][0-9]* +[0-9]" "the task with its CPU time"
expect 'nothing lost|LOST' "what is lost"
expect 'CPU [0-9.]+ of [0-9]+' "the sums"

press / ev
expect '^ev.\[2J.il ' "a name of commands for the terminal"
press Escape

echo "- sorting"
press w
expect 'tasks by waiting' w
press i
expect 'tasks by bytes' i
expect "^toptask" "the reader is among the first"
press m
expect 'tasks by memory' m
press n
expect 'tasks by name,' n
press n
expect 'least first' "n twice"
press c
expect 'tasks by CPU,' c

echo "- filter, processes, pause, seconds"
press / top task
expect 'filter: toptask_' "a filter that is typed"
press BSpace BSpace BSpace
expect 'filter: topt_' "a shorter filter"
press Enter
expect 'filter: topt +\(/ changes' "the filter is kept"
[ "$(picture | sed -n '5,39p' | grep -cE '[a-z]')" = 1 ] || fail "the filter shows others too"
press t
expect "^ *$work_pid +toptask" "processes"
press Escape
expect_not 'filter:' "the filter ends"
press Space
expect 'PAUSED' pause
press Space
expect_not 'PAUSED' "going on"
press +
expect 'last 5 s' "more seconds"
press -
expect 'last 2 s' "fewer seconds"
press Down Down Up End Home NPage PPage
expect 'processes by CPU' "moving"
press l
expect 'CPU samples taken' "losses"
press x
press '?'
expect 'Keys of the list' help
press x
expect 'processes by CPU' "back from help"

echo "- one process opened"
filter "$work_pid"
expect "^ *$work_pid +toptask" "the process found"
press Enter
expect "process $work_pid, last" "a process opened"
expect '1 functions' "all sections"
expect 'hot_loop' "the hottest functions"
expect 'top_work.py:[0-9]+' "lines"
expect 'in\\x1b\[7m\\x0aput.dat' "files, with what a terminal could take for commands escaped"
expect 'whole and named' "quality"
press 1
expect 'own % +all % +function' functions
expect 'evil[^m]*\[31m.*TTT' "a name made to harm"
expect_not '^3 waits' "functions alone"
press 2
expect '^2 lines' lines
press 3
expect '^3 waits' waits
expect ' lock|run_queue| sleep' "classes of waits"
press 4
expect '^4 files' files
expect 'put.dat' "the file"
press Down Up 0
expect '^1 functions' "all again"
press Tab
expect_not '^2 lines' "the next section"
press Escape
expect '^2 lines' "one step back"
press Escape
expect 'processes by CPU' "back to the list"
[ "$(mux display-message -p -t top '#{pane_title}')" != title ] || fail "a name set the terminal's title"
press Escape t
expect 'tasks by CPU' "tasks again"

echo "- names made to harm"
# all_escaped WHAT: what is on the screen is text and colours, on as many lines as there are.
all_escaped() {
	mux capture-pane -e -p -t top >"$work/screen"
	! sed 's/\x1b\[[0-9;]*m\|\x1b(B\|\x0f//g' "$work/screen" | LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' ||
		fail "$1: something is not escaped"
	[ "$(mux display-message -p -t top '#{pane_title}')" != title ] || fail "$1: a name set the terminal's title"
	[ "$(picture | sed -n 1p | grep -cE 'pipescope top|process|task')" = 1 ] || fail "$1: the first line is another one"
}
# on_screen WHAT PREFIX PATTERN...: each of them now; no process is asked, which would be in the list.
on_screen() {
	local what=$1 prefix=$2 now pattern

	now=$(picture)
	shift 2
	for pattern; do
		[[ $now =~ $prefix$pattern ]] || fail "$what '$pattern' is not shown: $now"
	done
}
mux resize-window -t top -x 250 -y 40
press t n / 'ns::Templ' Enter
expect 'hostile ns::Template<ns::Template<' "a command of 3,900 characters"
press Escape / hostile Enter
expect 'sleep +hostile <script>' "commands"
# The recorder replaces bytes that are no UTF-8.
bytes='\\\\x[fc9][fe3b]'
on_screen "the command" ' ' "${shown[@]//$bytes/.}"
[ "$(picture | grep -cE '^ *[0-9]+ +sleep .*hostile')" = 8 ] || fail "not each of them has a row of its own"
all_escaped "commands"
press Escape c
filter "$work_pid"
expect "^ *$work_pid +toptask" "the process found"
press Enter 4
expect "/${shown[0]}" "files"
on_screen "the file" / "${shown[@]//$bytes/.}"
all_escaped "files"
press Escape Escape Escape
if long_pid=$(start_long_names); then
	started+=("$long_pid")
	filter "$long_pid"
	expect "^ *$long_pid " "the process of long names"
	press Enter 1
	expect 'spin<' "a function of 5,000 characters"
	[ "$(picture | grep -c 'pair_of<')" -le 2 ] || fail "a long name takes more than its line"
	all_escaped "a long name"
	press Escape Escape Escape
else
	echo "  no C++ compiler: without templates of 5,000 characters"
fi
press t
expect 'tasks by CPU,' "back to the tasks"
mux resize-window -t top -x 120 -y 40

echo "- other sizes"
for size in "80 24" "200 50" "40 10"; do
	# shellcheck disable=SC2086
	set -- $size
	mux resize-window -t top -x "$1" -y "$2"
	expect 'toptask' "$1 columns"
	press Enter
	expect 'last 2 s' "$1 columns, opened"
	press Escape
done
mux resize-window -t top -x 120 -y 40

echo "- memory over $seconds s"
display=$(child_of_top display)
recorder_pid=$(child_of_top recorder)
if [ -z "$display" ] || [ -z "$recorder_pid" ]; then
	die "the processes of top were not found"
fi
memory_of() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}
press / toptask Enter
expect '^toptask' "the task found"
press Enter
sleep $warming
before=$(($(memory_of "$display") + $(memory_of "$recorder_pid")))
sleep "$seconds"
after=$(($(memory_of "$display") + $(memory_of "$recorder_pid")))
echo "  $before kB before, $after kB after; display $(memory_of "$display") kB"
[ "$after" -lt $((before + before * percent / 100)) ] || fail "memory grew from $before to $after kB"

echo "- another recorder follows one that ended after it was of use"
started_s=$(ps -o etimes= -p "$recorder_pid" | tr -d ' ')
[ "$started_s" -ge 21 ] || sleep $((21 - started_s))
kill -KILL "$recorder_pid"
expect '1 new recorder, [0-9.]+ s not seen' "a new recorder"
expect 'hot_loop' "figures of the new recorder"

echo "- ends"
press q
ended 0 q
expect_not 'toptask +1' "the picture after q"
start_top --interval 1
press C-c
ended 0 Ctrl-C
start_top --interval 1
kill -TERM "$(pids_of_top | head -n 1)"
ended 0 SIGTERM
start_top --interval 1
expect 'ops/s' "a display to be killed"
kill -KILL "$(child_of_top display)"
ended 1 "kill -9 of the display"
expect 'ended by signal 9' "why"
start_top --interval 1
expect 'ops/s' "a display that crashes"
kill -SEGV "$(child_of_top display)"
ended 1 "a crash of the display"
start_top --interval 1
expect 'ops/s' "a recorder to be killed"
kill -KILL "$(child_of_top recorder)"
ended 1 "kill -9 of the recorder"
start_top --duration 1
ended 0 "--duration"

echo "- what is refused"
[ "$("$PIPESCOPE" top </dev/null 2>&1 | grep -c terminal)" = 1 ] || fail "without a terminal"
start_top --rules "$work/no-such-rules"
ended 1 "rules that are not there"
expect 'no-such-rules' "rules that are not there"
press "TERM=no-such-terminal $PIPESCOPE top; echo status \$?" Enter
expect 'TERM' "a terminal that is not known"
finish
