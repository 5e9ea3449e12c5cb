#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# torn_alarms.sh [FILE]: files that a recording calls torn while a part of this project's own suite
# runs, in which nobody kills a writer: a build from nothing, unit tests, live tests with recorders of
# their own. Each would be a false alarm. Prints how many files were written and closed meanwhile,
# those that were called torn, and, apart, those of writers that failed. The recording is kept when FILE is
# given. Takes some minutes, and is no test of check.sh.
. "$(dirname "$0")/lib.sh"

# Others end writers with a signal: test_store_cut_off, test_record_cli, test_storage, test_top.
units=(base demangle facts file_names html io_sums mounts name_table query rule_grammar rules siphash
	stack_tree store symbols tuples unwind_rows)
lives=(test_files test_file_calls test_paths test_open_times test_read_order test_io_storms
	test_throughput test_quanta test_sockets test_exports test_mixed_stacks)

need_recorder
need_host_root
top=$(cd "$tests/.." && pwd)
file=${1:-$work/suite.rec}
cat >"$work/suite" <<END
cd "$top" || exit 1
mount -t tmpfs run /run || exit 1
one() { "\$@" >"$work/log" 2>&1; echo "status \$?: \$*"; }
one make -j2 CI=1 O="$work/build" "$work/build/pipescope"
for unit in ${units[*]}; do
	binary=.output/user/tests/unit/test_\$unit
	[ ! -x "\$binary" ] || one "\$binary"
done
export TMPDIR="$work"
for live in ${lives[*]}; do
	one bash "tests/integration/\$live.sh"
done
END
"$PIPESCOPE" record --sources cpu,io -o "$file" -- unshare -m bash "$work/suite" \
	2>"$work/recorder.err" || fail "the recorder or the suite ended with status $?"
[ -s "$file" ] || die "there is no recording"
"$PIPESCOPE" report "$file" --by torn -f json >"$work/torn.json" || die "no report"
python3 -B - "$file" "$work/torn.json" <<-'END' || fail "files were called torn"
	import collections, json, sqlite3, sys
	recording = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
	written, = recording.execute("SELECT sum(files) FROM written").fetchone()
	processes, = recording.execute("SELECT count(*) FROM process").fetchone()
	lost = recording.execute("SELECT sum(value) FROM quality WHERE name IN"
	                         " ('lost_writers', 'lost_torn')").fetchone()[0]
	print("%d processes wrote and closed %d files; lost: %d" % (processes, written or 0, lost or 0))
	with open(sys.argv[2], encoding="utf-8") as stream:
	    rows = json.load(stream)["torn"]
	classes = collections.Counter(row["class"] for row in rows)
	for row in rows:
	    print("%-9s %-7s pid %s %s %s bytes" % (row["class"], row["cause"], row["pid"], row["file"],
	                                           row["written_bytes"]))
	print("called torn: %d, while appending: %d; of writers that failed: %d" % (
	    classes["killed"], classes["appending"], classes["failed"]))
	sys.exit(1 if not written or classes["killed"] or classes["appending"] else 0)
END
finish
