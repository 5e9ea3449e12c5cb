#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_resources.py RECORDING OUTPUT: every quantum of tests/workloads/resources.py used what it told.

Counts of the kernel exactly; CPU time within 1 % or 10 ms; memory within 5 %; counters of perf events, by the same path
as those of the CPU, against the kernel's own counts."""

import json
import sys

from recording import Checks, Recording

CPU_SHARE, CPU_S = 0.01, 0.010
MEMORY_SHARE = 0.05
KERNEL_BYTES = 800e3  # the kernel's own count is not more exact on two CPUs
DELAY_S = 0.001
MAJOR_FAULT_BYTES = 128 << 10  # the kernel reads ahead
MB = 1e6

EXACT = ("voluntary_switches", "involuntary_switches", "minor_faults", "major_faults",
         "children_voluntary_switches", "children_minor_faults")
# /proc/self/io has the bytes of reaped children too.
IO = {"rchar": "asked_read_bytes", "wchar": "asked_write_bytes", "syscr": "read_calls", "syscw": "write_calls",
      "read_bytes": "device_read_bytes", "write_bytes": "device_write_bytes",
      "cancelled_write_bytes": "device_cancelled_bytes"}


def rows_of(recording, pid):
    """By the id that the quantum of that number has: its own could not be read where it was over too soon."""
    columns = [row[1] for row in recording.rows("PRAGMA table_info(resource)")]
    found = {}
    for row in recording.rows(
        "SELECT 'job-' || (number - 1), quantum.quantum, (SELECT SUM(cpu_ns) FROM usage WHERE usage.epoch = resource.epoch),"
        " epoch.end_ns - epoch.start_ns, resource.*"
        " FROM resource JOIN quantum USING (epoch) JOIN epoch ON epoch.id = resource.epoch"
        " JOIN process ON process.id = process WHERE pid = ? AND epoch.end_ns NOT NULL",
        pid,
    ):
        found[row[0]] = dict(zip(columns, row[4:]), id=row[1], cpu=(row[2] or 0) / 1e9, elapsed=row[3] / 1e9)
    for quantum, name, value, enabled, running in recording.rows(
        "SELECT 'job-' || (number - 1), name, value, enabled_ns, running_ns FROM counter JOIN quantum USING (epoch)"
        " JOIN epoch ON epoch.id = counter.epoch JOIN process ON process.id = process WHERE pid = ?",
        pid,
    ):
        if quantum in found:
            found[quantum].setdefault("counters", {})[name] = value, enabled, running
    return found


class Checked:
    def __init__(self, checks):
        self.checks = checks
        self.worst = {}

    def near(self, who, what, value, wanted, slack):
        more = value - wanted
        self.worst[what] = max(self.worst.get(what, 0), abs(more))
        self.checks.check(abs(more) <= slack, f"{who}: {what} {value:g}, not {wanted:g}")


def check_counters(checked, who, told, row, missed):
    counters = row.get("counters", {})
    switches = told["voluntary_switches"] + told["involuntary_switches"]
    faults = told["minor_faults"] + told["major_faults"]
    cpu_ns = told["cpu"] * 1e9
    for name, wanted, slack in (
        ("task_clock", cpu_ns, max(CPU_S * 1e9, CPU_SHARE * cpu_ns)),
        # Faults that the kernel makes for the process (in read() and the like) are no page faults to perf.
        ("page_faults", faults, 10 + faults // 100),
        # perf counts a switch when the next thread has the CPU: those to the process, not from it. The two differ
        # by where a thread was at each end.
        ("context_switches", switches, 2 + 2 * told["threads"]),
    ):
        if name not in counters:
            continue
        value, enabled, running = counters[name]
        checked.near(who, "time of counter " + name, enabled, cpu_ns, max(CPU_S * 1e9, CPU_SHARE * cpu_ns))
        if enabled == running:
            checked.near(who, "counter " + name, value, wanted, slack)
            continue
        # Times on a CPU of whose beginning the kernel did not tell: not counted, and said to be.
        checked.checks.check(missed and running < enabled,
                             f"{who}: {name} counted {running} of {enabled} ns, {missed} times missed")
        print(f"{who}: {name} counted in {running / enabled:.1%} of the time")
        if name == "task_clock":  # the others need not be as frequent in the time missed
            checked.near(who, "scaled " + name, value * enabled / running if running else wanted, wanted, slack)
        else:
            checked.checks.check(value <= wanted + slack, f"{who}: counter {name} {value}, at most {wanted}")


def check(checked, told, row, missed):
    who = f"{told['id']} ({told['label']})"
    checks = checked.checks
    checked.near(who, "cpu", row["cpu"], told["cpu"], max(CPU_S, CPU_SHARE * told["cpu"]))
    for name in EXACT:
        checked.near(who, name, row[name], told[name], 0)
    for name, column in IO.items():
        if row[column] is None:
            continue
        # The kernel's order: bytes of the device appear when the page is made dirty. A page of the interpreter that
        # was given up comes from the device again, perhaps between the boundary and the quantum's own look.
        slack = MAJOR_FAULT_BYTES * row["major_faults"] if name == "read_bytes" else 0
        checked.near(who, column, row[column] + row["children_" + column], told[name], slack)
    for name in "rss_start", "rss_end", "rss_peak":
        checked.near(who, name, row[name + "_bytes"], told[name], max(KERNEL_BYTES, MEMORY_SHARE * told[name]))
    checked.near(who, "threads", row["threads"], told["threads"], 0)
    checks.check(row["migrations"] >= told["migrations"],
                 f"{who}: {row['migrations']} migrations, not {told['migrations']}")
    if told["run_queue"] is not None and row["run_queue_ns"] is not None and told["threads"] == 1:
        # Where it had no CPU between a boundary and its own look, the quantum took longer, too.
        more = row["elapsed"] - told["elapsed"]
        checked.near(who, "run queue", row["run_queue_ns"] / 1e9, told["run_queue"], DELAY_S + more)
    children_cpu = (row["children_user_ns"] + row["children_system_ns"]) / 1e9
    checked.near(who, "children's cpu", children_cpu, told["children_cpu"], 0.0001)
    if told["label"] == "child":
        checked.near(who, "children", row["children"], 1, 0)
        checked.near(who, "children's memory", row["children_rss_peak_bytes"], told["children_rss_peak"],
                     MEMORY_SHARE * told["children_rss_peak"])
        checks.check(row["children_asked_write_bytes"] == 3 << 20 and row["asked_write_bytes"] < 1 << 20,
                     f"{who}: its child wrote {row['children_asked_write_bytes']}, itself {row['asked_write_bytes']}")
    check_counters(checked, who, told, row, missed)


def main():
    recording = Recording(sys.argv[1])
    checks = Checks()
    checked = Checked(checks)
    with open(sys.argv[2], encoding="utf-8") as stream:
        told = [json.loads(line) for line in stream]
    checks.check(told, "the workload tells of no quanta")
    rows = rows_of(recording, told[0]["pid"])
    missed = recording.rows("SELECT value FROM quality WHERE name = 'counters_missed'")[0][0]
    for one in told:
        if checks.check(one["id"] in rows, f"{one['id']}: no resources"):
            check(checked, one, rows[one["id"]], missed)
    for one in told:
        row = rows.get(one["id"], {})
        print(f"{one['id']} {one['label']:8} cpu {row.get('cpu', 0):.3f} ({one['cpu']:.3f}) s,"
              f" peak {(row.get('rss_peak_bytes') or 0) / MB:.1f} ({one['rss_peak'] / MB:.1f}) MB,"
              f" faults {row.get('minor_faults')} ({one['minor_faults']}),"
              f" switches {row.get('voluntary_switches')}+{row.get('involuntary_switches')}"
              f" ({one['voluntary_switches']}+{one['involuntary_switches']}),"
              f" read {row.get('asked_read_bytes')} + {row.get('children_asked_read_bytes')} ({one['rchar']})")
    print("worst errors: " + ", ".join(f"{name} {value:g}" for name, value in sorted(checked.worst.items())))
    print(f"times on a CPU without counters: {missed}")
    print("counted: " + recording.meta.get("counters", "") + "; unsupported: "
          + recording.meta.get("counters_unsupported", ""))
    unnamed = sum(row["id"] is None for row in rows.values())
    over = recording.rows("SELECT value FROM quality WHERE name = 'quanta_over'")[0][0]
    checks.check(unnamed <= min(over, 1), f"{unnamed} quanta without names, {over} were over")
    checks.check(all(row["id"] in (None, name) for name, row in rows.items()), "quanta have others' names")
    lost = recording.rows("SELECT name, value FROM quality WHERE name IN"
                          " ('lost_resources', 'late_resources', 'counters_unread') AND value > 0")
    checks.check(not lost, f"lost: {lost}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
