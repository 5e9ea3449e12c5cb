#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run-unit.sh BINARY...: run cmocka binaries and count each test function of theirs. What a test
# prints is shown when it fails; when it is skipped, its last line is the reason.
# UNIT_TIMEOUT: seconds that one binary may take.
set -euo pipefail
# shellcheck source=scripts/results.sh
. "$(dirname "$0")/results.sh"

timeout_seconds=${UNIT_TIMEOUT:-300}

# cmocka's own output -> lines "pass|fail|skip NAME<TAB>REASON", "said TEXT", and one "ran N OF".
parse_cmocka() {
	awk '
	function said() { for (i = 1; i <= lines; i++) print "said " text[i]; lines = 0 }
	function name() { sub(/^\[[^]]*\] */, ""); return $0 }
	/^\[=+\] .*[Rr]unning [0-9]+ test/ {
		running = 1
		lines = 0
		match($0, /unning [0-9]+/)
		expected += substr($0, RSTART + 7, RLENGTH - 7)
		next
	}
	/^\[=+\] .*test\(s\) run/ { running = 0; next }
	!running { next }
	/^\[ RUN +\]/ { lines = 0; next }
	/^\[ +OK \]/ { ran++; print "pass " name(); lines = 0; next }
	/^\[ +SKIPPED \]/ {
		ran++
		reason = lines ? text[lines] : "no reason given"
		sub(/^.*(SKIP|Skip|skip)[a-zA-Z]*:? */, "", reason)
		print "skip " name() "\t" reason
		lines = 0
		next
	}
	/^\[ +FAILED +\]/ {
		ran++
		reason = lines ? text[1] : "no message"
		sub(/^\[[^]]*\] (--- )?/, "", reason)
		print "fail " name() "\t" reason
		said()
		next
	}
	{ text[++lines] = $0 }
	END { said(); print "ran " ran + 0 " " expected + 0 }'
}

run_binary() {
	local binary=$1 module=${1##*/} status=0 ran=0 expected=0 failed_before=$results_failed
	local word rest reason output
	if [ ! -x "$binary" ]; then
		results_fail "$module" "not built"
		return
	fi
	output=$(mktemp)
	timeout -k 5 "$timeout_seconds" "$binary" >"$output" 2>&1 </dev/null || status=$?
	while read -r word rest; do
		reason=${rest#*$'\t'}
		case $word in
		pass) results_pass "$module $rest" ;;
		skip) results_skip "$module ${rest%%$'\t'*}" "$reason" ;;
		fail) results_fail "$module ${rest%%$'\t'*}" "$reason" ;;
		said) printf '    %s\n' "$rest" ;;
		ran) read -r ran expected <<<"$rest" ;;
		esac
	done < <(parse_cmocka <"$output")

	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		results_fail "$module" "stopped after $timeout_seconds s, $ran of $expected tests done"
	elif [ "$expected" = 0 ]; then
		results_fail "$module" "ran no test (exit status $status)"
		tail -n 20 "$output" | sed 's/^/    /'
	elif [ "$ran" -lt "$expected" ]; then
		results_fail "$module" "ended with status $status after $ran of $expected tests"
		tail -n 40 "$output" | sed 's/^/    /'
	elif [ "$status" != 0 ] && [ "$results_failed" = "$failed_before" ]; then
		# Every test passed, yet it failed: a leak found at exit, for instance.
		results_fail "$module" "exit status $status after its last test"
		tail -n 40 "$output" | sed 's/^/    /'
	fi
	rm -f "$output"
}

if [ $# = 0 ]; then
	echo "Usage: run-unit.sh BINARY..." >&2
	exit 2
fi
results_each run_binary "$@"
results_total
