#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A recording of a real program in every format, read back by judges that are not pipescope's:
# Python's own pstats, protoc, graphviz, speedscope's schema, and readers of the published formats.
. "$(dirname "$0")/lib.sh"

need_recorder

# Kept where it has been built with: no test may need a newer speedscope.
speedscope=speedscope@1.25.0
# pprof's own definition of its format.
published=/usr/share/gocode/src/github.com/google/pprof/proto/profile.proto
published=${PIPESCOPE_PPROF_PROTO:-$published}
skipped=()

# Its name, text and files are made to harm; it computes, waits, reads and writes.
cat >"$work/=work\"<script>.py" <<'END'
import os, threading, time


def work(end, lock):
    total = 0
    while time.monotonic() < end:
        with lock:
            total += sum(i * i for i in range(20000))
        with open(__file__, "rb") as stream:
            stream.read()
        with open(os.devnull + "", "wb") as stream:
            stream.write(b"x" * 4096)
        time.sleep(0.001)
    return total


lock = threading.Lock()
code = compile("def f(end, lock):\n    return work(end, lock)\n", "a;\"\\&<b>\n.py", "exec")
name = "@work</script>;\x1b[31m" + "T" * 400
name = dict.fromkeys([key for key in ("co_name", "co_qualname") if hasattr(code, key)], name)
exec(code.replace(co_consts=tuple(
    each.replace(**name) if hasattr(each, "co_name") else each for each in code.co_consts)))
end = time.monotonic() + 3
threads = [threading.Thread(target=f, args=(end, lock), name='-1+"x"\n') for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
END
start_recorder -a -F 499 -o "$work/real.rec" || die "the recorder did not start"
python3 "$work/=work\"<script>.py" || fail "the program failed"
stop_recorder INT || fail "the recorder ended with status $?"

get_schema() {
	command -v npm >/dev/null || return 1
	(cd "$work" && timeout 60 npm pack --silent "$speedscope" >/dev/null 2>&1 &&
		tar xzf speedscope-*.tgz package/dist/release/file-format-schema.json) || return 1
	schema=$work/package/dist/release/file-format-schema.json
}

schema=
get_schema || skipped+=("speedscope's schema: npm cannot get $speedscope")

# judge RECORDING WHAT
judge() {
	local warnings

	echo "- $2: every format against the report"
	python3 -B "$here/check_exports.py" "$PIPESCOPE" "$1" "$work" ${schema:+"$schema"} ||
		fail "$2: exports"

	echo "- $2: dot draws the graph"
	if command -v dot >/dev/null; then
		warnings=$(dot -Tsvg -o "$work/all.svg" "$work/all.dot" 2>&1) || fail "$2: dot failed"
		[ -z "$warnings" ] || fail "$2: dot says: $warnings"
		python3 -c 'import sys, xml.dom.minidom as dom
if not dom.parse(sys.argv[1]).getElementsByTagName("ellipse") and \
	not dom.parse(sys.argv[1]).getElementsByTagName("polygon"):
    sys.exit("no picture")
if dom.parse(sys.argv[1]).getElementsByTagName("script"):
    sys.exit("a script got in")' "$work/all.svg" || fail "$2: the picture"
	fi

	echo "- $2: flamegraph.pl draws the stacks"
	if flamegraph=$(find_flamegraph); then
		"$PIPESCOPE" export "$1" --format collapsed -o "$work/all.folded" || fail "$2: collapsed"
		perl "$flamegraph" "$work/all.folded" >"$work/flame.svg" || fail "$2: flamegraph.pl failed"
		check_flamegraph || fail "$2: the flame graph"
	elif [ "$2" = recording ]; then
		skipped+=("flame graphs: flamegraph.pl (Devel::NYTProf) is not here")
	fi

	echo "- $2: protoc reads the messages"
	if command -v protoc >/dev/null; then
		protoc --decode_raw <"$work/all.pb" >"$work/all.txt" || fail "$2: pprof is no protobuf"
		grep -q '^2 {' "$work/all.txt" || fail "$2: no samples in the profile"
		protoc --decode_raw <"$work/all.trace" >"$work/all.txt" ||
			fail "$2: the trace is no protobuf"
		grep -q '^  60 {' "$work/all.txt" || fail "$2: no tracks in the trace"
		decode perfetto.Trace "${tests%/*}/user/export/track_event.proto" all.trace
		grep -q 'track_uuid:' "$work/decoded" || fail "$2: no events in the trace"
	fi
	if command -v protoc >/dev/null && [ -r "$published" ]; then
		decode perftools.profiles.Profile "$published" all.pb
		check_decoded "$1" || fail "$2: the profile by its published definition"
	fi
}

# Brendan Gregg's, which a profiler of Perl brings along.
find_flamegraph() {
	local folder

	command -v flamegraph.pl && return
	for folder in /usr/share/perl5 /usr/share/perl5/vendor_perl /usr/lib*/perl5/vendor_perl; do
		[ -r "$folder/Devel/NYTProf/flamegraph.pl" ] || continue
		echo "$folder/Devel/NYTProf/flamegraph.pl"
		return
	done
	return 1
}

# What it has read is what was written, each name one of its boxes, and nothing but text.
check_flamegraph() {
	python3 - "$work/all.folded" "$work/flame.svg" <<-'END'
		import re, sys, xml.dom.minidom as dom

		written = [line.rsplit(" ", 1) for line in open(sys.argv[1], encoding="utf-8").read().split("\n") if line]
		picture = dom.parse(sys.argv[2])
		titles = [each.firstChild.data for each in picture.getElementsByTagName("title")]
		root = [title for title in titles if title.startswith("all (")]
		total = int(re.sub("[^0-9]", "", root[0].split("samples")[0]))
		if total != sum(int(count) for _, count in written):
		    sys.exit("%d in the picture, %d written" % (total, sum(int(count) for _, count in written)))
		if len(picture.getElementsByTagName("script")) != 1 or picture.getElementsByTagName("img"):
		    sys.exit("a name became an element")
		# It takes what looks like markup for something else.
		largest = max(written, key=lambda each: int(each[1]))[0].split(";")[0].replace("<", "(").replace(">", ")")
		if not any(title.startswith(largest) for title in titles):
		    sys.exit("%r is in no box" % largest)
	END
}

# decode MESSAGE DEFINITION FILE: to $work/decoded; fields that the definition has not are numbers.
decode() {
	protoc -I "$(dirname "$2")" --decode="$1" "$2" <"$work/$3" >"$work/decoded" ||
		fail "$3 is no $1"
	! grep -qE '^ *[0-9]+[:{ ]' "$work/decoded" || fail "$3 has fields that $1 has not"
}

# The sum of each sample's last value is the report's.
check_decoded() {
	"$PIPESCOPE" report "$1" --by task --format csv >"$work/tasks" || return 1
	python3 - "$work/decoded" "$work/tasks" <<-'END'
		import csv, re, sys

		samples = re.findall(r"^sample \{\n(.*?)^\}", open(sys.argv[1]).read(), re.M | re.S)
		total = sum(int(re.findall(r"^  value: (\d+)", each, re.M)[-1]) for each in samples)
		wanted = sum(float(row["cpu_s"]) for row in csv.DictReader(open(sys.argv[2]))) * 1e9
		if not samples or abs(total - wanted) > 1000:
		    sys.exit("%d ns in %d samples instead of %d" % (total, len(samples), wanted))
	END
}

judge "$work/real.rec" recording

"$PIPESCOPE" report "$work/real.rec" --by function --where 'function=@work*' --format csv \
	>"$work/out" || fail "report"
grep -q "^'@work</script>;" "$work/out" || fail "the function with the odd name was not seen"

echo "- Python's pstats"
"$PIPESCOPE" report "$work/real.rec" --by task --format csv >"$work/tasks" || fail "report"
while read -r version python; do
	"$python" -c 'import csv, pstats, sys
total = sum(float(row["cpu_s"]) for row in csv.DictReader(open(sys.argv[2])))
stats = pstats.Stats(sys.argv[1])
stats.sort_stats("cumulative").print_stats(5)
stats.print_callers(5)
if abs(stats.total_tt - total) > 1e-6:
    sys.exit("%f s instead of %f" % (stats.total_tt, total))' \
		"$work/all.prof" "$work/tasks" >"$work/out" 2>&1 ||
		fail "Python $version: $(tail -n 1 "$work/out")"
done < <(find_pythons)

echo "- go tool pprof"
if command -v go >/dev/null && go tool -n pprof >/dev/null 2>&1; then
	gzip -c "$work/all.pb" >"$work/all.pb.gz"
	PPROF_TMPDIR=$work go tool pprof -top -nodecount=5 "$work/all.pb.gz" >"$work/out" 2>&1 ||
		fail "go tool pprof: $(tail -n 1 "$work/out")"
	grep -q 'Type: cpu' "$work/out" || fail "go tool pprof shows no CPU time"
fi

echo "- what cannot be shown is refused, with the reason and status 2"
refused() {
	local words=$1 status
	shift
	"$PIPESCOPE" export "$work/real.rec" "$@" >"$work/out" 2>"$work/err"
	status=$?
	[ $status = 2 ] || fail "export $*: status $status"
	grep -q "$words" "$work/err" || fail "export $*: $(head -1 "$work/err")"
	[ ! -s "$work/out" ] || fail "export $* printed something"
}
refused 'formats are: collapsed, csv' --format svg
refused 'without stacks' --format collapsed --metric waits
refused 'leave out --by' --format pstats --by line
refused 'functions, lines or modules' --format dot --by task
refused 'wait and waker do not go' --format speedscope --by wait,file --metric io_time
refused 'there is no key' --format csv --by nothing
refused 'is missing' --metric cpu

command -v dot >/dev/null || skipped+=("graphviz is not here")
command -v protoc >/dev/null || skipped+=("protoc is not here")
[ -r "$published" ] || skipped+=("pprof's definition is not here: golang-github-google-pprof-dev")
if [ "$failures" = 0 ] && [ ${#skipped[@]} -gt 0 ]; then
	skip "all else passed; $(printf '%s; ' "${skipped[@]}")"
fi
finish
