#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quanta of 4 ms, one after the other for some seconds: the recorder reads their names also while it takes
# what it counted in a slice, which takes longer than that.
. "$(dirname "$0")/lib.sh"

need_recorder
mapfile -t pythons < <(find_pythons)
[ ${#pythons[@]} -gt 0 ] || skip "no CPython 3.8 or later"
"$PIPESCOPE" record -q --rules "$tests/workloads/resources.rules" -o "$work/short.rec" -- \
	"${pythons[-1]#* }" "$tests/workloads/short_quanta.py" 1000 0.004 || fail "record ended with status $?"
python3 -B - "$here" "$work/short.rec" <<'END' || fail "short quanta"
import sys
sys.path.insert(0, sys.argv[1])
from recording import Checks, Recording
checks = Checks()
recording = Recording(sys.argv[2])
names = [row[0] for row in recording.rows("SELECT quantum FROM quantum ORDER BY number")]
quality = dict(recording.rows("SELECT name, value FROM quality"))
over, first = quality["quanta_over"], 1000 - len(names)
checks.check(0 <= first <= 5 * quality["pythons_found_late"], f"{len(names)} quanta of 1000, from the start")
checks.check(all(name in (None, f"job-{number}") for number, name in enumerate(names, first)), "wrong names")
checks.check(names.count(None) == over <= 5, f"{names.count(None)} quanta without names, {over} were over")
print(f"{len(names)} quanta of 4 ms, {over} over before their names were read")
sys.exit(checks.exit_status())
END
finish
