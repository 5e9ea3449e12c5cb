#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quanta whose objects are huge, deep, cyclic, wrong or changing: what is read of them is bounded, and
# what could not be read is counted.
. "$(dirname "$0")/lib.sh"

need_recorder
start_recorder -a -o "$work/hostile.rec" || die "the recorder did not start"
python3 "$tests/workloads/middleware/hostile.py" >"$work/hostile.out" || fail "hostile.py failed"
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_hostile.py" "$work/hostile.rec" "$work/hostile.out" || fail "hostile objects"
"$PIPESCOPE" quanta -f json "$work/hostile.rec" | python3 -m json.tool >/dev/null || fail "pipescope quanta -f json"
finish
