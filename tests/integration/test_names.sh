#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names made to harm (formulas, markup, ends of lines, what a terminal obeys, what is no UTF-8, 4,000
# characters) in every report and export; the live ones are in test_exports.sh and test_top.sh. And
# that --metric, --by and --where mean the same everywhere, and what has no meaning is refused. Needs no
# recorder. --full: each of them with each other.
. "$(dirname "$0")/lib.sh"

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3"
echo "- names made to harm"
python3 -B "$here/check_names.py" "$PIPESCOPE" "$work" || fail "names"
echo "- what is chosen"
python3 -B "$here/check_choices.py" "$PIPESCOPE" "$work" "$@" || fail "choices"

echo "- what has no meaning"
# refused WORDS COMMAND OPTION...
refused() {
	local words=$1 status

	shift
	"$PIPESCOPE" "$@" "$work/none.rec" >"$work/out" 2>"$work/err"
	status=$?
	[ $status = 2 ] || fail "$*: status $status: $(head -n 1 "$work/err")"
	grep -q -- "$words" "$work/err" || fail "$*: $(head -n 1 "$work/err")"
}
for time in abc 5-1 5-5 1- -1 -1-2 1-2-3 '1 2' 1x 1-2x nan inf 1-inf '1*' ''; do
	refused 'takes seconds since the start' report --by task "--where=time=$time"
done
for time in 0 12.5 10-20 0-0.5 '*' '(unknown)'; do
	"$PIPESCOPE" report --where "time=$time" "$work/none.rec" 2>"$work/err"
	grep -q 'none.rec' "$work/err" || fail "time=$time: $(cat "$work/err")"
done
for by in 'task,' ',task' 'task,,time' ','; do
	refused 'a comma without a key' report --by "$by"
	refused 'a comma without a key' export --format csv --by "$by"
done
refused 'needs a key' report --by ''
refused 'service and dataid.FIELD; each alone: throughput, quality, torn, alloc, node$' report --by nothing
refused 'service and dataid.FIELD; each alone: throughput, quality$' export --format csv --by nothing
finish
