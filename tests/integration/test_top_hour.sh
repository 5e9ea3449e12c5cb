#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `pipescope top` in constant memory, while ever new programs, compilers and scripts come and go.
# Prints the memory of both of its processes. It follows what runs on the node, which changes from
# minute to minute, and is given back some minutes later; what never is given back would be the growth.
# That would lift both quiet and busy minutes: so it fails when the least and the most of the last sixth
# are both above those of the second one. Medians, and how many processes began, are printed.
# --full: five minutes; --hour, --seconds=N: so long.
. "$(dirname "$0")/lib.sh"

# What a recorder meets in its first minute takes memory, on a busy node half as much again between the
# seventh second and the thirty-sixth.
seconds=36 every=2 per_minute=60 percent=100
for option; do
	case $option in
	--full) seconds=300 every=5 per_minute=20 percent=25 ;;
	--hour) seconds=3600 every=30 per_minute=20 percent=10 ;;
	--seconds=*) seconds=${option#*=} every=30 per_minute=20 percent=10 ;;
	*) die "unknown option $option" ;;
	esac
done

need_recorder
command -v tmux >/dev/null || skip "needs tmux (scripts/setup.sh test)"
export LC_ALL=C.UTF-8
socket=pipescope-test-$$
mux() {
	tmux -L "$socket" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null; clean_up' EXIT

# The recorder is the child of top that leads a group of its own, the display the other one.
pid_of() {
	local top child

	top=$(pgrep -P "$(mux display-message -p -t top '#{pane_pid}')" -f ' top ' | head -n 1)
	for child in $(pgrep -P "${top:-0}"); do
		case $1$(ps -o pgid= -p "$child" | tr -d ' ') in
		recorder"$child") echo "$child" ;;
		recorder* | display"$child") ;;
		display*) echo "$child" ;;
		esac
	done
}

# shellcheck disable=SC2317 # called by wait_for
both_run() {
	# In this order: a recorder that has no group of its own yet looks like a display.
	[ -n "$(pid_of recorder)" ] && [ -n "$(pid_of display)" ]
}

memory_of() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status" 2>/dev/null
}

# Least, median and most.
spread() {
	printf '%s\n' "$@" | sort -n | awk '{ all[NR] = $1 } END { print all[1], all[int((NR + 1) / 2)], all[NR] }'
}

mux new-session -d -s top -x 120 -y 40 "PS1='shell> ' bash --norc --noprofile" ||
	skip "tmux cannot start here"
mux send-keys -t top "$PIPESCOPE top --interval 2 --window 10" Enter
wait_for 40 both_run || die "top does not start: $(mux capture-pane -p -t top | head -n 3)"
recorder_pid=$(pid_of recorder)
display=$(pid_of display)

nice -n 19 python3 "$tests/workloads/ever_new.py" "$seconds" "$per_minute" "$work" &
started+=($!)
forks() {
	awk '/^processes/ { print $2 }' /proc/stat
}
echo "  seconds  recorder kB  display kB  open files  processes begun"
start=$SECONDS
begun=$(forks)
early=()
late=()
while [ $((at = SECONDS - start)) -lt "$seconds" ]; do
	one=$(memory_of "$recorder_pid") two=$(memory_of "$display")
	if [ -z "$one" ] || [ -z "$two" ]; then
		die "after $at s one of top's processes is another one"
	fi
	printf '  %7d  %11d  %10d  %10d  %15d\n' "$at" "$one" "$two" \
		"$(find "/proc/$recorder_pid/fd" -mindepth 1 2>/dev/null | wc -l)" $(($(forks) - begun))
	case $((at * 6 / seconds)) in
	1) early+=($((one + two))) ;;
	5) late+=($((one + two))) ;;
	esac
	sleep "$every"
done
[ "$(pid_of recorder)" = "$recorder_pid" ] || fail "another recorder had to follow"
read -r least median most < <(spread "${early[@]}")
read -r late_least late_median late_most < <(spread "${late[@]}")
echo "  second sixth: least $least kB, median $median, most $most; last: $late_least, $late_median, $late_most"
[ "$late_least" -lt $((least + least * percent / 100)) ] || [ "$late_most" -lt $((most + most * percent / 100)) ] ||
	fail "memory grew: least from $least to $late_least kB, most from $most to $late_most"
finish
