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
        pairs = {"node": "node<b>1</b>", "kernel": "6.1.0", "cpus": "64", "hz": "99", "sources": "cpu,offcpu,io",
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
        self.many("epoch", ((i, i, i, 0, None, self.label(i), "job%d" % (i % 3), "pipetask" if i % 2 else None) for i in ids))
        self.many("thread", ((i, i, 1000 + i, "main", None) for i in ids))

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
        self.many("frame", ((i, i, i + 5 if (i - 1) % 5 < 2 else None) for i in range(1, bootstrap + 2)))
        rows, leaves = [(1, None, 1), (2, 1, bootstrap + 1), (3, 2, bootstrap)], []
        while len(leaves) < self.options.stacks:
            above = rows[self.random.randrange(max(0, len(rows) - 4000), len(rows))][0] if self.random.random() < 0.7 else 2
            for _ in range(self.random.randrange(1, 4)):
                rows.append((len(rows) + 1, above, self.random.randrange(1, bootstrap + 1)))
                above = rows[-1][0]
            leaves.append(above)
        self.many("stack", rows)
        return leaves

    def facts(self, leaves):
        options = self.options
        epochs, slices = range(1, options.processes + 1), range(1, options.seconds + 1)
        pick = self.random.randrange
        self.many("usage", ((e, s, 500000000 + pick(400000000), 400000000, 100000000) for e in epochs for s in slices))
        self.many("wait", ((e, s, name, 1 + pick(9), 1000 + pick(200000000)) for e in epochs for s in slices for name in CLASSES[:1 + (e + s) % 6]))
        paths = [text(b"/data/" + name.replace(b"/", b"_")) for name in HOSTILE] + [f"/data/run/file_{i}.fits" for i in range(40 * options.processes)]
        self.many("file", ((i + 1, "file", path, "ceph" if i % 3 else "ext4", "/data" if i % 3 else "/") for i, path in enumerate(paths)))
        ops = ["read", "read", "write", "open", "stat"]
        self.many("io", ((e, s, 1 + (e * 37 + s * k) % len(paths), op, 2 if op == "stat" else 0, 1 + pick(50),
                          pick(10**6) if op in ("read", "write") else 0, 1000 + pick(10**7))
                         for e in epochs for s in slices for k, op in enumerate(ops)))
        self.many("io_histogram", ((op, fs, what, bucket, 1 + pick(1000)) for op in ("read", "open") for fs in ("ceph", "ext4")
                                   for what in ("ns", "bytes") for bucket in range(8, 20)))

    def samples(self, leaves):
        options, pick = self.options, self.random.randrange
        unused = iter(leaves)  # each stack at least once
        metrics = [("cpu", None)] * 6 + [("offcpu", "lock"), ("io_time", "read"), ("io_bytes", "read"), ("io_ops", "open")]

        def rows():
            for epoch in range(1, options.processes):  # the last one has no sample
                for piece in range(1, options.seconds + 1):
                    for _ in range(options.samples):
                        metric, item = metrics[pick(len(metrics))]
                        stack = next(unused, None) or leaves[int(self.random.paretovariate(0.6)) % len(leaves)]
                        yield (epoch, epoch, piece, stack, "python", metric, item, 1 + pick(3), 0 if metric == "cpu" else 1000 + pick(10**7))
                yield (epoch, epoch, 1, None, "unknown", "cpu", None, 1, 0)
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
