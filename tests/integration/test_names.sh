#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names made to harm (formulas, markup, ends of lines, what a terminal obeys, what is no UTF-8, 4,000
# characters) in every report and export; the live ones are in test_exports.sh and test_top.sh. And
# that --metric, --by and --where mean the same everywhere. Needs no recorder. --full: each of them
# with each other.
. "$(dirname "$0")/lib.sh"

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3"
echo "- names made to harm"
python3 -B "$here/check_names.py" "$PIPESCOPE" "$work" || fail "names"
echo "- what is chosen"
python3 -B "$here/check_choices.py" "$PIPESCOPE" "$work" "$@" || fail "choices"
finish
