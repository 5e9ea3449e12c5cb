#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# 500 processes that live for a millisecond: each is listed, with its parent, its arguments and the
# way it ended.
. "$(dirname "$0")/lib.sh"

need_recorder
compile short_lived
start_recorder -a -o "$work/short.rec" || die "the recorder did not start"
"$work/short_lived" 500 >"$work/expected" &
parent=$!
wait $parent || fail "short_lived failed"
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_short_lived.py" "$work/short.rec" "$work/expected" $parent ||
	fail "short processes"
finish
