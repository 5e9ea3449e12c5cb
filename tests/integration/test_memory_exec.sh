#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A process that begins another program, twice in a moment: what it had mapped is released and is in no
# peak of the next one's, and page faults are those of the program that had them.
. "$(dirname "$0")/lib.sh"

need_recorder
compile mem_exec
"$PIPESCOPE" record --sources cpu,mem -o "$work/exec.rec" -- "$work/mem_exec" 60 20 40 \
	</dev/null >"$work/told" 2>"$work/recorder.err" ||
	fail "record ended with status $?: $(tail -n 1 "$work/recorder.err")"
cat "$work/told"
python3 -B - "$work/exec.rec" "$work/told" <<'END' || fail "memory or faults of another program"
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
told = [tuple(map(int, line.split())) for line in open(sys.argv[2])]
epochs = [row[0] for row in db.execute("SELECT epoch.id FROM epoch JOIN image ON image.id = image"
                                       " WHERE arguments LIKE '%mem_exec%' AND comm != 'pipescope'"
                                       " ORDER BY epoch.start_ns")]
assert len(epochs) == len(told) == 3, epochs
before = 0
for i, (epoch, (mib, faults)) in enumerate(zip(epochs, told)):
    live, peak = db.execute("SELECT SUM(live_bytes), SUM(peak_bytes) FROM memory_map WHERE epoch = ?",
                            (epoch,)).fetchone()
    counted = db.execute("SELECT SUM(minor_faults + major_faults) FROM memory WHERE epoch = ?",
                         (epoch,)).fetchone()[0]
    print("%d MiB: live %d, peak %d, %d faults" % (mib, live, peak, counted))
    # The loader, the C library and a thread's stack besides: 8 MiB and some.
    assert mib << 20 <= peak <= (mib + 12) << 20, "peak"
    assert (i == 2) == (live >= mib << 20) and (i == 2 or not live), "live"
    # The last faults before the exec are told of by the next program; those of the recorder's child,
    # before the first one, too.
    assert abs(counted - (faults - before)) <= 150, (counted, faults - before)
    before = faults
END
finish
