# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording of every source, made by hand: for each name a process of a task, job, thread, function,
file, mount, quantum … of that name. Texts are bytes, so that they can be what no text is."""

import sqlite3


class Recording:
    def __init__(self, path, schema):
        self.db = sqlite3.connect(path)
        self.db.executescript(schema)

    def add(self, table, *rows):
        """Rows of one shape; bytes become text, whatever they hold."""
        marks = ",".join("CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
                         for value in rows[0])
        self.db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

    def close(self):
        self.db.commit()
        self.db.close()


SAMPLE = "sample (epoch, thread, slice, stack, ending, metric, class, count, value, waker)"
METRICS = ("offcpu", "io_time", "io_bytes", "io_ops", "ceph_time", "ceph_ops", "ceph_bytes",
           "rss_growth", "faults")
CLASSES = {"offcpu": b"lock", "io_time": b"read", "io_bytes": b"read", "io_ops": b"read",
           "ceph_time": b"osd:read", "ceph_ops": b"osd:read", "ceph_bytes": b"osd:read",
           "rss_growth": b"anonymous", "faults": b"minor"}


def add_head(recording, names):
    recording.add("meta", (b"node", names[0]), (b"kernel", b"6.1.0"), (b"cpus", b"4"),
                  (b"hz", b"99"), (b"sources", b"cpu,offcpu,io,ceph,quanta,mem,counters"),
                  (b"slice_ns", b"1000000000"), (b"start_wall_ns", b"1700000000000000000"),
                  (b"command", names[0]), (b"stop_ns", b"2000000000"), (b"state", b"complete"),
                  (b"stop_reason", names[0]), (b"counters", b"task_clock"),
                  (b"ceph_way", b"types"), (b"event", b"cpu-clock"))
    recording.add("slice", (1, 0, 10**9), (2, 10**9, 2 * 10**9))
    recording.add("ending", (b"python", 1, b"whole"))
    recording.add("recorder", (1, 1000, 1000), (2, 1000, 1000))
    recording.add("wait_class", (b"gil", b"lock", b"r", 1))


def add_process(recording, i, name):
    add = recording.add
    add("process", (i, None, 100 + i, 0, 2 * 10**9, None, 9, 10**9, 10**9, 0, 10**6, b"3.11"))
    add("image", (i, i, 0, name[:15] or b"x", b"[]", name))
    add("environment", (i, name, name))
    add("epoch", (i, i, i, 0, 2 * 10**9, name, name, name))
    add("quantum", (i, 1, name, name, name, name, b"{}", 1))
    add("quantum_data", (i, b"field", name))
    add("thread", (i, i, 100 + i, name, None))
    add("usage", (i, 1, 10**9, 10**9, 0))
    add("thread_usage", (i, i, 1, 10**9))
    add("function", (i, b"python", name, name, 10, name))
    add("frame", (i, i, 11, None))
    add("stack", (i, None, i))
    add(SAMPLE, (i, i, 1, i, b"python", b"cpu", None, 99, 0, None))
    add(SAMPLE, *((i, i, 1, i, b"python", metric.encode(), CLASSES[metric], 10, 10**6 * i, None)
                    for metric in METRICS))


def add_figures(recording, i, name):
    add = recording.add
    add("wait", (i, 1, b"lock", 10, 10**8 * i), (i, 2, b"disk", 1, 10**6))
    add("thread_wait", (i, i, b"lock", 10, 10**8 * i))
    add("file", (i, b"file", b"/" + name, name, b"/" + name))
    add("file", (1000 + i, b"socket", b"tcp " + name, b"socket", b""))
    add("remote", (1000 + i, b"tcp", name, 80, 0, name, name))
    add("wait_on", (i, 1, i, b"disk", 1, 10**6), (i, 1, 1000 + i, b"socket", 1, 10**6))
    add("io", (i, 1, i, b"read", 0, 10, 10**6 * i, 10**7 * i), (i, 2, i, b"open", 2, 1, 0, 100),
        (i, 2, i, b"write", 0, 3, 4096, 10**5))
    add("dataset", (i, name, name))
    add("torn", (i, i, b"signal", 9, 0, 10, 10, 5, 6, 7))
    add("written", (i, 1, i, 1, 4096))
    add("read_pattern", (i, 1, i, 5, 3, 2, 1000, 3, 4096))
    add("resource", (i,) + (1,) * 35)
    add("counter", (i, b"task_clock", 10**9, 10, 10))
    add("memory", (i, 1, 10**6, 10**6, 0, 0, 10, 1))
    add("memory_growth", (i, 1, b"anonymous", 10, 10**6 * i))
    add("memory_event", (i, 1, b"reclaim", 3, 4096), (i, 2, b"oom_kill", 1, 0))
    add("memory_map", (i, i, b"mmap", i, b"python", 1, 4096, 1, 4096, 1, 4096))
    add("ceph_mount", (i, b"/" + name))
    add("ceph", (i, 1, i, b"osd:read", 0, 10, 10**6 * i, 10**7 * i))
    add("ceph_histogram", (i, b"osd:read", 10, 5))
    add("ceph_in_flight", (1, i, b"osd:read", 1, 100))


def make(path, schema, names):
    recording = Recording(path, schema)
    add_head(recording, names)
    for i, name in enumerate(names, 1):
        add_process(recording, i, name)
        add_figures(recording, i, name)
    recording.close()
