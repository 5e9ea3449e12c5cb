#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Processes forked by one that has only just begun map what it did, though the recorder learns of
# its mappings and of the forks at once: their stacks are as whole as those of any other.
. "$(dirname "$0")/lib.sh"

need_recorder
compile calls
start_recorder -a -F 199 --sources cpu -o "$work/forked.rec" || die "the recorder did not start"
for _ in 1 2 3 4; do
	"$work/calls" churn 1 >/dev/null || fail "calls failed"
done
stop_recorder INT || fail "the recorder ended with status $?"
PYTHONPATH=$here python3 -B - "$work/forked.rec" <<'END' || fail "stacks of forked processes"
import sys
from recording import Checks, Recording

recording, checks = Recording(sys.argv[1]), Checks()
endings = dict(
    recording.rows(
        "SELECT ending, sum(count) FROM sample JOIN epoch ON epoch.id = epoch JOIN image"
        " ON image.id = image WHERE comm = 'calls' AND metric = 'cpu' GROUP BY ending"
    )
)
# In the middle of an exec or of an exit there is no stack of its own.
running = sum(endings.values()) - endings.get("executing", 0) - endings.get("exiting", 0)
whole = endings.get("native", 0)
print(f"{running} samples of forked processes, {whole} to the bottom; endings {endings}")
checks.check(running >= 100, "too few samples")
checks.check(whole >= 0.95 * running, "stacks of forked processes are not known")
sys.exit(checks.exit_status())
END
finish
