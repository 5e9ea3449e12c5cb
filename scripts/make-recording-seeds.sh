#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-recording-seeds.sh: makes the seeds of fuzz_recording anew, in today's layout. layout-1 is one
# of the first layout, made by the pipescope of then: it stays.
set -euo pipefail
cd "$(dirname "$0")/.."

seeds=tests/fuzz/seeds/recording
make -s .output/user/tests/unit/test_store .output/user/tests/unit/test_events
rm -f "$seeds"/small "$seeds"/small-pages "$seeds"/events
.output/user/tests/unit/test_store --seed "$PWD/$seeds/small"
cp "$seeds/small" "$seeds/small-pages"
python3 - "$seeds/small-pages" <<'END'
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA page_size = 512")
db.execute("VACUUM")
db.close()
END
.output/user/tests/unit/test_events --seed "$seeds/events"
chmod 644 "$seeds"/*
ls -l "$seeds"
