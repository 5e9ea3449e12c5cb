#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How much memory and time the exports take of many samples, nearly each with another stack: what
# grows with them is the recording itself, not what a format makes of it. Needs no recorder. --full: a
# million samples.
. "$(dirname "$0")/lib.sh"

count=200000
[ "${1:-}" != --full ] || count=1000000
# Of each sample, beyond what all recordings take.
most_kb=60000 most_bytes_each=250

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3"
"$PIPESCOPE" schema >"$work/schema.sql" || die "no schema"
python3 "$here/many_samples.py" "$work/schema.sql" "$work/many.rec" "$count" >"$work/cpu_s" ||
	die "the recording cannot be made"
limit_kb=$((most_kb + count * most_bytes_each / 1024))

cat >"$work/measure.py" <<'END'
import resource
import subprocess
import sys
import time

began = time.monotonic()
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
took_s = time.monotonic() - began
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "%.1f" % took_s)
sys.exit(status)
END

# measure WHAT OPTION...
measure() {
	local what=$1 kb took

	shift
	read -r kb took < <(python3 "$work/measure.py" "$PIPESCOPE" "$@" || echo failed)
	[ "$kb" != failed ] || die "$what failed"
	printf '  %-12s %8d kB %6s s\n' "$what" "$kb" "$took"
	[ "$kb" -lt "$limit_kb" ] || fail "$what takes $kb kB for $count samples, more than $limit_kb"
}

echo "- $count samples; at most $limit_kb kB"
for format in collapsed speedscope pprof perfetto pstats dot; do
	measure "$format" export "$work/many.rec" --format "$format" -o "$work/out"
done
measure csv export "$work/many.rec" --format csv --by task,function -o "$work/out"
measure report report "$work/many.rec"

echo "- the sums are those of the recording"
"$PIPESCOPE" export "$work/many.rec" --format collapsed -o "$work/out" --force 2>/dev/null ||
	"$PIPESCOPE" export "$work/many.rec" --format collapsed >"$work/out" || fail "collapsed"
python3 - "$work/out" "$work/cpu_s" <<'END' || fail "the sum of all stacks"
import sys

total = sum(int(line.rsplit(" ", 1)[1]) for line in open(sys.argv[1], encoding="utf-8"))
wanted = float(open(sys.argv[2], encoding="utf-8").read()) * 1e6
if abs(total - wanted) > 2:
    sys.exit("%d microseconds instead of %d" % (total, wanted))
END
finish
