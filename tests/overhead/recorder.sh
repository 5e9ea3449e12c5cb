#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the recorder itself takes while 32 busy Python processes run for 30 s: at most 100 MB of
# memory and 2 % of one CPU, its start apart. PROCESSES, SECONDS_EACH, HZ, SOURCES may be set; --smoke is short.
. "$(dirname "$0")/../integration/lib.sh"

need_recorder
if [ "${1:-}" = --smoke ]; then
	PROCESSES=4 SECONDS_EACH=3
fi
processes=${PROCESSES:-32}
seconds=${SECONDS_EACH:-30}
hz=${HZ:-99}
sources=${SOURCES:-cpu,offcpu,io}
max_megabytes=100
max_percent=2

cpu_ticks() {
	sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}

memory_kb() {
	awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"
}

start_recorder -a -F "$hz" --sources "$sources" -o "$work/recorder.rec" || die "the recorder did not start"
start_ticks=$(cpu_ticks "$recorder")
start_kb=$(memory_kb "$recorder" VmRSS)
for _ in $(seq "$processes"); do
	python3 "$tests/workloads/shares.py" --seconds 3600 >/dev/null &
	started+=($!)
done
sleep 3 # they are to be busy, not to import their modules
before=$(cpu_ticks "$recorder")
begin=$EPOCHREALTIME
sleep "$seconds"
after=$(cpu_ticks "$recorder")
end=$EPOCHREALTIME
rss_kb=$(memory_kb "$recorder" VmRSS)
peak_kb=$(memory_kb "$recorder" VmHWM)
kill "${started[@]}"
wait "${started[@]}" 2>/dev/null
started=()
stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"

python3 - "$work/recorder.rec" <<END
import os, sqlite3, sys

tick = os.sysconf("SC_CLK_TCK")
elapsed = $end - $begin
percent = 100 * ($after - $before) / tick / elapsed
peak = $peak_kb * 1024 / 1e6
database = sqlite3.connect(sys.argv[1])
samples, = database.execute("SELECT SUM(count) FROM sample").fetchone()
own, own_rss = database.execute("SELECT SUM(cpu_ns) / 1e9, MAX(rss_bytes) / 1e6 FROM recorder").fetchone()

def verdict(value, limit):
    return f"limit {limit}: " + ("PASS" if value <= limit else "FAIL")

print(f"$processes busy Python processes, sources $sources at $hz Hz, {elapsed:.1f} s, {samples} samples")
print(f"  CPU until ready          {$start_ticks / tick:10.2f} s")
print(f"  CPU while recording      {percent:10.2f} % of one CPU  {verdict(percent, $max_percent)}")
print(f"  memory when ready        {$start_kb * 1024 / 1e6:10.1f} MB")
print(f"  memory at the end        {$rss_kb * 1024 / 1e6:10.1f} MB")
print(f"  memory at its peak       {peak:10.1f} MB  {verdict(peak, $max_megabytes)}")
print(f"  by its own account       {own:10.2f} s CPU, {own_rss:.1f} MB")
print(f"  the recording            {os.path.getsize(sys.argv[1]) / 1e6:10.2f} MB")
sys.exit(percent > $max_percent or peak > $max_megabytes)
END
