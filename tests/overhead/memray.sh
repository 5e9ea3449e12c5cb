#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# memray.sh: one workload under memray, and watched by pipescope: what each says about it, and what it
# costs in CPU time. memray comes from a newer Debian, unpacked into a folder of its own.
# --smoke: short. ROUNDS and SUITE may be set. Exit status 77: memray cannot be had here.
. "$(dirname "$0")/../integration/lib.sh"

rounds=${ROUNDS:-5}
suite=${SUITE:-trixie}
scale=4
if [ "${1:-}" = --smoke ]; then
	rounds=1
	scale=0.5
fi
need_recorder
need_host_root
top=${tests%/*}
cd "$top" || die "no folder $top"
# shellcheck source=tests/vm/apt.sh
. tests/vm/apt.sh

# The root of a small system with memray: in the cache, or made of packages.
make_root() {
	local cache package

	cache=$(vm_cache) || return 1
	root=$cache/memray-$suite
	[ ! -e "$root/done" ] || return 0
	rm -rf "$root"
	apt_begin "$work/apt" "$suite"
	echo "fetching memray ($suite) from $apt_mirror" >&2
	apt-get -q -y --download-only install python3-memray python3-minimal coreutils >>"$work/apt/log" 2>&1 ||
		unavailable "cannot download memray: $(apt_complaint)"
	mkdir -p "$root/usr"
	for package in bin sbin lib lib64; do # as base-files has it
		ln -s "usr/$package" "$root/$package"
	done
	for package in "$work"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$root" --keep-directory-symlink --exclude='./usr/share/doc' --exclude='./usr/share/man' \
				--exclude='./usr/share/locale' || unavailable "cannot unpack $package"
	done
	mkdir -p "$root/proc" "$root/tmp" "$root/dev"
	[ -e "$root/dev/null" ] || mknod -m 666 "$root/dev/null" c 1 3
	touch "$root/done"
}

# inside COMMAND...: in that root.
inside() {
	chroot "$root" env -i PATH=/usr/bin:/bin LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 \
		KEEPS_WAITS="${KEEPS_WAITS:-}" "$@"
}

make_root || exit 77
# memray asks for its own process's maps.
mount -t proc proc "$root/proc" || skip "cannot mount /proc below $root"
mounted=$root/proc
cp "$tests/workloads/keeps.py" "$root/tmp/keeps.py"
inside python3 -m memray --version >"$work/version" 2>&1 || skip "memray does not run: $(tail -n 1 "$work/version")"

watched() {
	local name=$1 go

	shift
	rm -f "$work/go"
	mkfifo "$work/go"
	KEEPS_WAITS=1 inside python3 /tmp/keeps.py $scale <"$work/go" >"$work/$name.out" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go"
	wait_for 20 grep -q ready "$work/$name.out" || die "keeps.py did not start"
	[ $# = 0 ] || start_recorder -p "$workload" "$@" -o "$work/$name.rec" || die "the recorder did not start"
	echo >&"$go"
	exec {go}>&-
	wait "$workload" || die "keeps.py failed"
	[ $# = 0 ] || stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
	tail -n 1 "$work/$name.out" >>"$work/$name.json"
}

for ((round = 0; round < rounds; round++)); do
	watched plain
	watched cpu --sources cpu
	watched mem --sources cpu,mem
	watched alloc --sources cpu,alloc
	watched alloc_all --sources cpu,alloc --max-overhead 1000000
	rm -f "$root/tmp/run.bin" "$root/tmp/run2.bin"
	inside python3 -m memray run -q -o /tmp/run.bin /tmp/keeps.py $scale </dev/null |
		tail -n 1 >>"$work/memray.json" || die "memray failed"
	inside python3 -m memray run -q --trace-python-allocators -o /tmp/run2.bin /tmp/keeps.py $scale </dev/null |
		tail -n 1 >>"$work/memray_python.json" || die "memray failed"
done
"$PIPESCOPE" report "$work/mem.rec" --by function --metric mmap_peak -n 0 --format json >"$work/report.json" ||
	die "report failed"
"$PIPESCOPE" report "$work/alloc_all.rec" --by alloc -n 0 --format json >"$work/alloc_report.json" ||
	die "report failed"
for run in run run2; do
	inside python3 - /tmp/$run.bin >"$work/$run.json" <<-'END' || die "memray's results cannot be read"
		import collections, json, sys
		from memray import FileReader
		reader = FileReader(sys.argv[1])
		sums = collections.Counter()
		for record in reader.get_high_watermark_allocation_records(merge_threads=True):
		    for name in {frame[0] for frame in record.stack_trace()}:
		        sums[name] += record.size
		print(json.dumps({"peak": reader.metadata.peak_memory, "allocations": reader.metadata.total_allocations,
		                  "functions": sums}))
	END
	stat -c %s "$root/tmp/$run.bin" >"$work/$run.size"
done
for name in mem alloc alloc_all; do
	stat -c %s "$work/$name.rec" >"$work/$name.size"
done
python3 -B - "$work" "$(cat "$work/version")" <<'END'
import json, statistics, sys

folder, version = sys.argv[1:]

def load(name):
    with open("%s/%s.json" % (folder, name), encoding="utf-8") as stream:
        return [json.loads(line) for line in stream.read().splitlines()]

def size(name):
    with open("%s/%s.size" % (folder, name), encoding="utf-8") as stream:
        return int(stream.read()) / 1e6

told = load("plain")[-1]["peak"]
runs = {"run": load("run")[0], "run2": load("run2")[0]}
with open(folder + "/report.json", encoding="utf-8") as stream:
    rows = {row["function"]: row["total"] for row in json.load(stream)["rows"] if row["kind"] == "python"}
plain = statistics.median(one["cpu_s"] for one in load("plain"))
print("%s; CPU time of the work alone: %.2f s (medians of %d)" % (version.splitlines()[0], plain, len(load("plain"))))
print("%-38s %9s %10s" % ("", "CPU ratio", "output, MB"))
for name, label, output in (("cpu", "pipescope --sources cpu", None), ("mem", "pipescope --sources cpu,mem", "mem"),
                            ("alloc", "… cpu,alloc", "alloc"),
                            ("alloc_all", "… all the time (no limit)", "alloc_all"),
                            ("memray", "memray run", "run"),
                            ("memray_python", "memray run --trace-python-allocators", "run2")):
    ratio = statistics.median(one["cpu_s"] for one in load(name)) / plain
    print("%-38s %9.2f %10s" % (label, ratio, "%.1f" % size(output) if output else ""))
print("\n%-14s %9s %15s %15s %9s %9s" % ("at the peak, MB", "its own", "mapped", "came (rss)", "memray", "… Python"))
missing = 0
for name, bytes_ in told.items():
    row = rows.get(name, {})
    figures = [bytes_, row.get("mmap_peak_bytes"), row.get("rss_growth_bytes"),
               runs["run"]["functions"].get(name), runs["run2"]["functions"].get(name)]
    missing += None in figures
    print("%-14s %9s %15s %15s %9s %9s" % ((name,) + tuple("-" if one is None else "%.1f" % (one / 1e6) for one in figures)))
with open(folder + "/alloc_report.json", encoding="utf-8") as stream:
    whole = json.load(stream)["allocations"]
print("allocations: alloc all the time %d (%.1f MB, most held at a time %.1f MB); memray %d (peak %.1f MB), "
      "with Python's own %d (peak %.1f MB)" % (
          whole["allocations"], whole["bytes"] / 1e6, whole["held_peak_bytes"] / 1e6, runs["run"]["allocations"],
          runs["run"]["peak"] / 1e6, runs["run2"]["allocations"], runs["run2"]["peak"] / 1e6))
sys.exit(1 if missing else 0)
END
