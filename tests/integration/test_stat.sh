#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pipescope stat: a command that knows its own CPU time, faults and switches; a running process; the
# whole node; Ctrl-C; and what it says when it cannot count.
. "$(dirname "$0")/lib.sh"

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
[ "$(id -u)" = 0 ] || skip "needs root"
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))') || skip "needs python3"
cat >"$work/burn.py" <<'END'
import json, mmap, os, resource, sys, threading, time

def burn(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        sum(range(500))

seconds = float(sys.argv[1])
began = globals().get("began", 0)  # its CPU time when it was told to go
thread = threading.Thread(target=burn, args=(seconds / 2,))
thread.start()
burn(seconds / 2)
thread.join()
memory = mmap.mmap(-1, 40 << 20)
for at in range(0, len(memory), 4096):
    memory[at] = 1
child = os.fork()
if not child:
    burn(0.05)
    os._exit(0)
os.wait()
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
cpu = sum(one.ru_utime + one.ru_stime for one in used)
print(json.dumps({"a command": cpu, "a running process": cpu - began,
                  "faults": sum(one.ru_minflt + one.ru_majflt for one in used),
                  "switches": sum(one.ru_nvcsw + one.ru_nivcsw for one in used)}))
sys.stdout.flush()
time.sleep(float(sys.argv[2]))
os._exit(0)  # without taking down the interpreter, which copies the pages that were the child's too
END

# check WHAT: JSON lines of $work/stat against what burn.py told in $work/told.
check() {
	python3 -B - "$work/stat" "$work/told" "$1" <<'END' || fail "$1"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
told = json.load(open(sys.argv[2]))
total = lines[-1]
parts = lines[:-1]
def near(name, value, wanted, slack):
    print(f"{sys.argv[3]}: {name} {value:g} ({wanted:g})")
    assert abs(value - wanted) <= slack, name
assert total["what"] == "total" and all(line["what"] == "interval" for line in parts)
cpu = told[sys.argv[3]]
near("task_clock", total["task_clock"] / 1e9, cpu, max(0.02, 0.02 * cpu))
near("user + system", total["user_s"] + total["system_s"], cpu, 0.05)
if sys.argv[3] == "a command":  # all of it was counted
    # Its exec and its end are not in what it told.
    near("page_faults", total["page_faults"], told["faults"], 300)
    near("context_switches", total["context_switches"], told["switches"], 30 + told["switches"] // 20)
for name in "task_clock", "page_faults", "context_switches":
    assert not parts or sum(line[name] for line in parts) == total[name], name
    assert total[name + "_share"] == 1
assert abs(total["cpus"] - total["task_clock"] / 1e9 / (total["end_s"] - total["start_s"])) < 1e-4  # both are rounded
for name in total["unsupported"]:
    assert total[name] is None
if not total["unsupported"]:
    assert 0 < total["ipc"] < 10 and abs(total["ghz"] - total["cycles"] / total["task_clock"]) < 1e-6
print("unsupported:", total["unsupported"])
END
}

"$PIPESCOPE" stat -f json -i 0.2 -o "$work/stat" -- "$python" "$work/burn.py" 0.4 0 >"$work/told" ||
	fail "stat of a command"
check "a command"

# It waits until it is counted.
"$python" -c 'import os, sys, time
while not os.path.exists(sys.argv[4]): time.sleep(0.05)
del sys.argv[0]
began = time.process_time()
exec(open(sys.argv[0]).read())' "$work/burn.py" 0.4 0.2 "$work/go" >"$work/told" &
pid=$!
started+=("$pid")
sleep 0.5
"$PIPESCOPE" stat -p "$pid" -f json -i 0.1 -o "$work/stat" &
counting=$!
started+=("$counting")
wait_for 10 grep -qs interval "$work/stat" || fail "no interval of a running process"
touch "$work/go"
wait "$pid" || fail "burn.py"
wait "$counting" || fail "stat -p"
started=()
check "a running process"

# The exit status is the command's own.
"$PIPESCOPE" stat -o "$work/text" -- sh -c 'exit 7'
[ $? = 7 ] || fail "exit status of the command"
grep -q 'CPUs used' "$work/text" || fail "text: $(cat "$work/text")"
"$PIPESCOPE" stat -o "$work/text" -- no-such-command 2>"$work/errors"
[ $? = 127 ] || fail "a command that is not there"

# The node; Ctrl-C ends it, with the sums.
"$PIPESCOPE" stat -f csv -i 0.1 >"$work/node.csv" &
pid=$!
started+=("$pid")
wait_for 10 grep -q interval "$work/node.csv" || fail "no interval"
kill -INT "$pid"
wait "$pid" || fail "stat ends by Ctrl-C with status $?"
started=()
tail -1 "$work/node.csv" | grep -q '^total,' || fail "no sums after Ctrl-C"
python3 - "$work/node.csv" <<'END' || fail "stat of the node"
import csv, os, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
assert all(abs(float(row["cpus"]) - os.cpu_count()) < 0.2 * os.cpu_count() for row in rows[:-1] if
           float(row["end_s"]) - float(row["start_s"]) > 0.05), rows
END

# What cannot be done is said.
"$PIPESCOPE" stat -p 4194304 2>"$work/errors"
[ $? = 1 ] || fail "a process that is not there: status"
grep -q 'no such process' "$work/errors" || fail "a process that is not there: $(cat "$work/errors")"
"$PIPESCOPE" stat -p 1x 2>/dev/null
[ $? = 2 ] || fail "wrong usage"
"$PIPESCOPE" stat -p 1 -- true 2>/dev/null
[ $? = 2 ] || fail "two targets"
if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 0 ] && command -v setpriv >/dev/null; then
	setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all "$PIPESCOPE" stat -d 0.1 \
		>/dev/null 2>"$work/errors"
	[ $? = 1 ] || fail "without privileges: status"
	grep -q 'run it as root' "$work/errors" || fail "without privileges: $(cat "$work/errors")"
fi
finish
