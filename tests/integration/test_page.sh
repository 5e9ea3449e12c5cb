#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The HTML report in a browser, of a small recording with names made to harm: its numbers are those
# of the text report, and all that one can do with it works. --large: also a recording of 50,000
# stacks, and one of 64 processes and ten minutes, with their sizes and times.
. "$(dirname "$0")/lib.sh"

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3 to make a recording"
command -v node >/dev/null || skip "needs node"
CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
	skip "needs chromium (scripts/setup.sh test)"
export CHROMIUM
[ -d "$tests/../web/node_modules/playwright-core" ] ||
	skip "web/node_modules is not there (scripts/setup.sh build gets it from npm)"

most_bytes=5000000

# check_page NAME OPTION... -- OPTION...: of the recording; of the test of the page.
check_page() {
	local name=$1 making=() size

	shift
	while [ "$1" != -- ]; do
		making+=("$1")
		shift
	done
	shift
	python3 -B "$tests/browser/make_recording.py" "$PIPESCOPE" "$work/$name.rec" "${making[@]}" ||
		die "$name: no recording was made"
	if ! "$PIPESCOPE" report "$work/$name.rec" --format html -o "$work/$name.html" 2>"$work/err"; then
		grep -q 'without the HTML report' "$work/err" && skip "built without the HTML report"
		die "$name: $(cat "$work/err")"
	fi
	size=$(stat -c %s "$work/$name.html")
	echo "$name: a page of $size bytes"
	[ "$size" -le $most_bytes ] || fail "$name: more than $most_bytes bytes"
	node "$tests/browser/page.mjs" "$PIPESCOPE" "$work/$name.rec" "$work/$name.html" "$@" ||
		fail "$name: the page"
}

check_view() {
	local address folder

	address=$(TMPDIR=$work "$PIPESCOPE" view --no-browser "$work/small.rec") || fail "view ended with $?"
	folder=$(dirname "${address#file://}")
	[ "$(stat -c %a "$folder")" = 700 ] || fail "others can enter the folder of 'view'"
	[ "$(stat -c %a "$folder/report.html")" = 600 ] || fail "others can read the page of 'view'"
	grep -q '^<!DOCTYPE html>' "$folder/report.html" || fail "'view' wrote no page"
}

# The data of a page are all in it: with no network, no other file.
check_alone() {
	! grep -oE '(src|href)="(https?:)?//[^"]*"' "$work/small.html" || fail "the page refers to something else"
	grep -q 'Apache License' "$work/small.html" || fail "the licence of d3-flame-graph is not in the page"
	grep -q 'Mike Bostock' "$work/small.html" || fail "the licence of d3 is not in the page"
}

check_page small -- --whole
check_view
check_alone
if [ "${1:-}" = --large ]; then
	check_page stacks --processes 16 --seconds 60 --stacks 50000 --samples 70 -- --times
	check_page long --processes 64 --seconds 600 --stacks 20000 --samples 12 --
fi
finish
