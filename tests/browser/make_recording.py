#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_recording.py PIPESCOPE FILE: a recording as a busy node could make it, with names made to harm.

--processes N  --seconds N  --stacks N  --samples N (rows per process and second)

The same options always give the same recording. `PIPESCOPE schema` gives the layout.
"""

import argparse
import random
import sqlite3
import subprocess

HOSTILE = [
    b'<script>window.harmed = 1</script>',
    b'</script><img src=x onerror="window.harmed = 2">',
    b'quotes \' " ` and & and \\',
    b'two\nlines\ttab\x1b[31m',
    b'invalid \xff\xfe utf-8 \xc3',
    'separators \u2028 \u2029 and \u202e turned'.encode(),
    b'-->@PIPESCOPE-DATA@<!--',
    b'ns::Template<' + b'std::vector<std::pair<int, ns::Inner<char>>>, ' * 90 + b'end>::operator()(int) const',
]
QUANTUM = 4  # seconds
RESOURCES = """epoch voluntary_switches involuntary_switches minor_faults major_faults run_queue_ns migrations asked_read_bytes
    asked_write_bytes read_calls write_calls device_read_bytes device_write_bytes threads rss_start_bytes rss_end_bytes rss_peak_bytes""".split()
CLASSES = ["run_queue", "lock", "pipe", "disk", "file_system", "other:futex_waitv"]
SECOND = 10**9


def text(raw):
    """Bytes as they are: a recording holds whatever a process is called."""
    return raw if isinstance(raw, str) else HostileText(raw)


class HostileText(bytes):
    """Stored as TEXT although it may be no UTF-8."""


class Maker:
    def __init__(self, db, options):
        self.db = db
        self.options = options
        self.random = random.Random(7)
        # Every third process works at quanta, one after the other, from its third second on.
        self.quanta = {}
        for process in range(1, options.processes + 1, 3):
            for number, start in enumerate(range(2, options.seconds, QUANTUM)):
                self.quanta[process, number] = (options.processes + 1 + len(self.quanta), start, min(start + QUANTUM, options.seconds))

    def epoch_at(self, process, piece):
        """What a process works at in a slice."""
        quantum = self.quanta.get((process, (piece - 3) // QUANTUM))
        return quantum[0] if quantum else process

    def epochs(self):
        """Of each process and slice."""
        for process in range(1, self.options.processes + 1):
            for piece in range(1, self.options.seconds + 1):
                yield process, self.epoch_at(process, piece), piece

    def many(self, table, rows):
        rows = list(rows)
        if not rows:
            return
        casts = [any(isinstance(row[i], HostileText) for row in rows) for i in range(len(rows[0]))]
        marks = ",".join("CAST(? AS TEXT)" if cast else "?" for cast in casts)
        # Columns behind these are of what this recording does not have: all NULL.
        columns = self.db.execute(f"SELECT COUNT(*) FROM pragma_table_info('{table}')").fetchone()[0]
        marks += ",NULL" * (columns - len(casts))
        self.db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def meta(self):
        stop = self.options.seconds * SECOND
        pairs = {"node": "node<b>1</b>", "kernel": "6.1.0", "cpus": "64", "hz": "99", "sources": "cpu,offcpu,io,mem,ceph,counters", "ceph_way": "types",
                 "start_wall_ns": "1700000000000000000", "stop_ns": str(stop), "state": "complete",
                 "offcpu_period_ns": "10000000", "io_period_ns": "1000000"}
        self.many("meta", pairs.items())
        self.many("slice", ((i + 1, i * SECOND, (i + 1) * SECOND) for i in range(self.options.seconds)))
        self.many("ending", [("python", 1, "Python frames complete"), ("unknown", 0, "the stack <i>never</i> arrived")])
        self.many("quality", [("samples", 1, "CPU samples taken"), ("lost_nested", 3, "samples lost <b>here</b>")])
        self.many("recorder", [(1, 10**7, 4 * 10**7)])

    def label(self, number):
        labels = ["isr", "calibrate", "characterizeImage"] + [text(name) for name in HOSTILE]
        return labels[number % len(labels)]

    def processes(self):
        stop = self.options.seconds * SECOND
        ids = range(1, self.options.processes + 1)
        cpu = self.options.seconds * SECOND // 2
        self.many("process", ((i, None, 1000 + i, 0, None if i % 3 else stop - 1, None if i % 3 else i % 2, None, cpu, cpu, 0, i << 20, "3.11")
                              for i in ids))
        self.many("image", ((i, i, 0, "python3", '["pipetask", "run", "<b>%d</b>"]' % i, None) for i in ids))
        busy = {process for process, _ in self.quanta}
        self.many("epoch", ((i, i, i, 0, 2 * SECOND if i in busy else None, self.label(i), "job%d" % (i % 3), "pipetask" if i % 2 else None) for i in ids))
        self.many("epoch", ((e, p, p, start * SECOND, end * SECOND, self.label(p), "job%d" % (p % 3), "pipetask") for (p, _), (e, start, end) in self.quanta.items()))
        self.work()
        self.many("thread", ((i, i, 1000 + i, "main", None) for i in ids))

    def work(self):
        pick = self.random.randrange
        self.many("quantum", ((e, n + 1, self.label(p), "lsst.Class", "%032x" % e, "run/<i>1</i>", '{"visit": %d}' % e, 0 if n == 0 else 1) for (p, n), (e, _, _) in self.quanta.items()))
        self.many("quantum_data", ((e, field, value) for (p, n), (e, _, _) in self.quanta.items() for field, value in (("visit", str(1000 + e)), ("detector", text(HOSTILE[n % len(HOSTILE)]) if n % 2 == 0 else str(n)))))
        marks = ",".join("?" * len(RESOURCES))
        self.db.executemany(f"INSERT INTO resource ({','.join(RESOURCES)}) VALUES ({marks})",
                            ([e] + [pick(1000) for _ in RESOURCES[1:-4]] + [1 + pick(8)] + [pick(1 << 30) for _ in range(3)] for e, _, _ in self.quanta.values()))
        self.many("counter", ((e, name, 10**9 + pick(10**9), 4 * 10**9, (4 - e % 2) * 10**9) for e, _, _ in self.quanta.values() for name in ("task_clock", "cycles", "instructions", "llc_misses")))

    def stacks(self):
        """A tree with as many different whole stacks as were asked for."""
        count = max(40, self.options.stacks // 20)
        kinds = ["python", "python", "native", "interpreter", "kernel"]
        names = [text(name) for name in HOSTILE] + [f"function_{i}" for i in range(count)]
        self.many("function", ((i + 1, kinds[i % 5], name, "/src/module_%d.py" % (i % 50) if i % 5 < 2 else None,
                                i + 1 if i % 5 < 2 else None, "/src/module_%d.py" % (i % 50) if i % 5 < 2 else "/lib/lib%d.so" % (i % 9))
                               for i, name in enumerate(names)))
        bootstrap = len(names) + 1
        self.many("function", [(bootstrap, "python", "_find_and_load", "<frozen importlib._bootstrap>", 1165, "<frozen importlib._bootstrap>"),
                               (bootstrap + 1, "interpreter", "_PyEval_EvalFrameDefault", None, None, "/usr/bin/python3")])
        self.many("function", ((bootstrap + 2 + i, "subtask", name, None, None, "subtask") for i, name in enumerate(["isr", "isr.crosstalk", HostileText(b"isr.<script>")])))
        self.many("frame", ((i, i, i + 5 if (i - 1) % 5 < 2 and i < bootstrap else None) for i in range(1, bootstrap + 5)))
        rows = [(1, None, 1), (2, 1, bootstrap + 1), (3, 2, bootstrap), (4, 1, bootstrap + 2), (5, 4, bootstrap + 3), (6, 5, bootstrap + 4)]
        leaves = []
        while len(leaves) < self.options.stacks:
            above = rows[self.random.randrange(max(0, len(rows) - 4000), len(rows))][0] if self.random.random() < 0.7 else self.random.choice((2, 2, 4, 5, 6))
            for _ in range(self.random.randrange(1, 4)):
                rows.append((len(rows) + 1, above, self.random.randrange(1, bootstrap + 1)))
                above = rows[-1][0]
            leaves.append(above)
        self.many("stack", rows)
        return leaves

    def facts(self, leaves):
        options = self.options
        pick = self.random.randrange
        self.many("usage", ((e, s, 500000000 + pick(400000000), 400000000, 100000000) for _, e, s in self.epochs()))
        self.many("wait", ((e, s, name, 1 + pick(9), 1000 + pick(200000000)) for p, e, s in self.epochs() for name in CLASSES[:1 + (p + s) % 6]))
        paths = [text(b"/data/" + name.replace(b"/", b"_")) for name in HOSTILE] + [f"/data/run/file_{i}.fits" for i in range(40 * options.processes)]
        self.files = len(paths)
        self.many("file", ((i + 1, "file", path, "ceph" if i % 3 else "ext4", "/data" if i % 3 else "/") for i, path in enumerate(paths)))
        ops = ["read", "read", "write", "open", "stat"]
        self.many("io", ((e, s, 1 + (p * 37 + s * k) % len(paths), op, 2 if op == "stat" else 0, 1 + pick(800 if op == "stat" else 50),
                          pick(10**6) if op in ("read", "write") else 0, 1000 + pick(10**7))
                         for p, e, s in self.epochs() for k, op in enumerate(ops)))
        self.many("io_histogram", ((op, fs, what, bucket, 1 + pick(1000)) for op in ("read", "open") for fs in ("ceph", "ext4")
                                   for what in ("ns", "bytes") for bucket in range(8, 20)))

        self.storage(len(paths))
        self.remotes(len(paths))
        self.memory(leaves)
        self.ceph()

    def storage(self, files):
        pick, stop = self.random.randrange, self.options.seconds * SECOND
        types = ["raw", "calexp", text(HOSTILE[0])]
        self.many("dataset", ((i, types[i % 4 - 1], "path") for i in range(1, files) if i % 4))
        self.many("written", ((e, s, 1 + (p * 37 + 2 * s) % files, 1, pick(10**7)) for p, e, s in self.epochs() if s % 3 == 0))
        self.many("read_pattern", ((e, s, 1 + (p * 37) % files, pick(9), pick(5), pick(3), 1 + pick(10**6), 1 << (s % 63), 65536) for p, e, s in self.epochs()))
        ends = [("signal", 9), ("oom", 9), ("exit", 3)]
        self.many("torn", ((self.epoch_at(i, 1), i, *ends[i % 3], i % 2, 1000 * i, 2000 * i, i, stop // 2 + i, stop - i) for i in range(1, 1 + min(9, self.options.processes))))

    def remotes(self, files):
        """Behind the files: other ends of sockets."""
        pick = self.random.randrange
        addresses = [b"10.0.0.%d" % i for i in range(6)] + HOSTILE
        self.many("file", ((files + 1 + i, "socket", text(b"tcp " + address + b":5432"), "", "") for i, address in enumerate(addresses)))
        self.many("remote", ((files + 1 + i, "tcp", text(address), 5432, i % 4 == 3, [None, "registry", text(HOSTILE[0])][i % 3], "remote") for i, address in enumerate(addresses)))
        some = [(e, s, files + 1 + (p + s) % len(addresses)) for p, e, s in self.epochs() if (p + s) % 2]
        self.many("io", ((e, s, file, op, 0, 1 + pick(20), pick(10**5), pick(10**8)) for e, s, file in some for op in ("read", "write")))
        self.many("wait_on", ((e, s, file, "socket", 1 + pick(20), pick(10**8)) for e, s, file in some))
        self.many("wait_on", ((e, s, 1 + p % files, "disk", 1, pick(10**7)) for p, e, s in self.epochs()))

    def memory(self, leaves):
        pick, last = self.random.randrange, self.options.seconds
        # One in five slices lacks its row: nothing has changed in it. Some processes have ended.
        self.many("memory", ((e, s, *([None] * 4 if p % 3 == 0 and s == last else [pick(1 << 30), pick(1 << 28), pick(1 << 20), pick(1 << 10)]), pick(1000), pick(9))
                             for p, e, s in self.epochs() if (p + s) % 5 or s == last))
        self.many("memory_growth", ((e, s, kind, pick(100), pick(1 << 26)) for _, e, s in self.epochs() for kind in ("anonymous", "file")))
        # Every fourth process was short of memory, and every eighth killed for it.
        self.many("memory_event", ((e, s, "reclaim", 1 + pick(9), pick(1 << 24)) for p, e, s in self.epochs() if p % 4 == 0 and s % 3 == 0))
        self.many("memory_event", ((self.epoch_at(p, last), last, "oom_kill", 1, 0) for p in range(8, self.options.processes + 1, 8)))
        self.many("memory_map", ((i, self.epoch_at(1 + i % self.options.processes, 1), "heap" if i % 4 == 0 else "mapped", leaves[i % len(leaves)], "python", 2, 1 << 21, 1, i << 12, 2, i << 13) for i in range(1, 200)))

    def ceph(self):
        pick = self.random.randrange
        mounts = ["/sdf/data", text(HOSTILE[0]), "(unknown)"]
        self.many("ceph_mount", enumerate(mounts, 1))
        ops = ["mds:open", "mds:lookup", "osd:read", "osd:write", "caps:wait", "read:cached"]
        self.many("ceph", ((e, s, 1 + (p + k) % 3, op, 2 if op == "mds:lookup" and s % 2 else 0, 1 + pick(99), pick(10**7) if op.startswith(("osd", "read")) else 0, pick(10**9))
                           for p, e, s in self.epochs() for k, op in enumerate(ops) if (p + s + k) % 3 == 0))
        self.many("ceph_histogram", ((mount, op, bucket, 1 + pick(1000)) for mount in (1, 2, 3) for op in ops for bucket in range(10, 30)))
        self.many("ceph_in_flight", ((s, 1 + s % 3, "osd:write", 1 + pick(9), 10**8 * s) for s in range(1, self.options.seconds + 1, 2)))

    def samples(self, leaves):
        options, pick = self.options, self.random.randrange
        unused = iter(leaves)  # each stack at least once
        metrics = [("cpu", None)] * 8 + [("offcpu", "lock"), ("io_time", "read"), ("io_bytes", "read"), ("io_ops", "open"), ("io_ops", "stat"),
                                                                       ("ceph_time", "mds:open"), ("ceph_bytes", "osd:read"), ("ceph_ops", "mds:open"), ("rss_growth", "anonymous"), ("faults", "anonymous")]

        def rows():
            for process in range(1, options.processes):  # the last one has no sample
                for piece in range(1, options.seconds + 1):
                    for _ in range(options.samples):
                        metric, item = metrics[pick(len(metrics))]
                        stack = next(unused, None) or leaves[int(self.random.paretovariate(0.6)) % len(leaves)]
                        yield (self.epoch_at(process, piece), process, piece, stack, "python", metric, item, 1 + pick(3), 0 if metric == "cpu" else 1000 + pick(10**7), None,
                               1 + (process * 37 + piece * pick(5)) % self.files if metric.startswith("io_") else 1 + pick(3) if metric.startswith("ceph_") else None)
                yield (process, process, 1, None, "unknown", "cpu", None, 1, 0, None, None)
        self.many("sample", rows())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pipescope")
    parser.add_argument("file")
    parser.add_argument("--processes", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--stacks", type=int, default=300)
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    db = sqlite3.connect(options.file)
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(subprocess.run([options.pipescope, "schema"], check=True, stdout=subprocess.PIPE, universal_newlines=True).stdout)
    maker = Maker(db, options)
    maker.meta()
    maker.processes()
    leaves = maker.stacks()
    maker.facts(leaves)
    maker.samples(leaves)
    db.commit()
    db.close()


if __name__ == "__main__":
    main()
