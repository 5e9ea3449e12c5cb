#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_exports.py PIPESCOPE RECORDING FOLDER [SCHEMA]: exports a recording to every format, reads
each with a reader that shares nothing with pipescope, and compares its sums with the report's.

Protobuf is read from the wire by the field numbers of the published definitions. SCHEMA is
speedscope's. What is left in FOLDER is for further judges: all.prof, all.dot, all.pb, all.trace.
"""

import csv
import gzip
import io
import json
import pstats
import re
import struct
import subprocess
import sys

# Metric: column of the report's table, what one of it is in the exports' units.
METRICS = {"cpu": ("cpu_s", 1e9), "samples": ("samples", 1), "offcpu": ("offcpu_s", 1e9),
           "io_time": ("io_s", 1e9), "read_bytes": ("read_bytes", 1),
           "write_bytes": ("write_bytes", 1), "ops": ("op_count", 1)}
WHERE = [[], ["--where", "task=python3*"], ["--where", "function=*work*"]]

LEAST_COMPARED = 6 * 7  # of 6 formats, 7 metrics and 3 choices; chance may leave some empty

failures = []


def fail(text):
    failures.append(text)
    print("FAIL:", text)


class Exports:
    def __init__(self, program, recording):
        self.program, self.recording = program, recording

    def run(self, command, *options):
        return subprocess.run([self.program, command, self.recording, *options], check=True,
                              stdout=subprocess.PIPE).stdout

    def export(self, form, metric, where, *options):
        return self.run("export", "--format", form, "--metric", metric, *where, *options)

    def table(self, *options):
        text = self.run("report", "--format", "csv", *options).decode()
        return list(csv.DictReader(io.StringIO(text)))

    def total(self, metric, where):
        column, factor = METRICS[metric]
        return sum(float(row[column]) for row in self.table("--by", "task", *where)) * factor


# --- Protobuf.

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of a message: integers, or the bytes of what has a length."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "a field beyond its message"
            value = data[at:at + size]
            at += size
        else:
            raise ValueError(f"wire type {kind}, which none of our fields has")
        yield key >> 3, value


def collect(data, known):
    """Lists of values by field number; a number that is not known is a mistake."""
    found = {number: [] for number in known}
    for number, value in fields(data):
        found[number].append(value)
    return found


def packed(values):
    """Repeated numbers, in one piece or one by one."""
    numbers = []
    for value in values:
        if isinstance(value, int):
            numbers.append(value)
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            numbers.append(number)
    return numbers


def one(values, otherwise=0):
    return values[-1] if values else otherwise


class Pprof:
    """github.com/google/pprof: proto/profile.proto"""

    def __init__(self, data):
        top = collect(gzip.decompress(data), [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14])
        self.texts = [text.decode() for text in top[6]]
        assert self.texts[0] == "", "the first text is not empty"
        self.types = [self.text(one(collect(kind, [1, 2])[1])) for kind in top[1]]
        self.default = self.text(one(top[14]))
        self.mappings = {one(mapping[1]): self.text(one(mapping[5]))
                         for mapping in (collect(each, [1, 5, 7, 8, 9, 10]) for each in top[3])}
        self.functions = {one(function[1]): self.text(one(function[2]))
                          for function in (collect(each, range(1, 6)) for each in top[5])}
        self.locations = {}
        for location in (collect(each, [1, 2, 4]) for each in top[4]):
            (line,) = (collect(each, [1, 2]) for each in location[4])
            self.locations[one(location[1])] = self.functions[one(line[1])]
            if location[2]:
                assert one(location[2]) in self.mappings, "a location in no mapping"
        self.samples = [self.sample(collect(each, [1, 2, 3])) for each in top[2]]

    def text(self, index):
        return self.texts[index]

    def sample(self, sample):
        labels = {}
        for label in (collect(each, [1, 2, 3]) for each in sample[3]):
            labels[self.text(one(label[1]))] = (self.text(one(label[2])) if label[2]
                                                else one(label[3]))
        values = packed(sample[2])
        assert len(values) == len(self.types), "values and their types"
        return [self.locations[id] for id in packed(sample[1])], values, labels


def total_of_pprof(data, metric):
    profile = Pprof(data)
    assert profile.default == metric, profile.default
    for path, _, labels in profile.samples:
        assert path and {"task", "pid"} <= set(labels), labels
    return sum(values[profile.types.index(metric)] for _, values, _ in profile.samples)


class Trace:
    """github.com/google/perfetto: protos/perfetto/trace/trace_packet.proto, track_event/"""

    def __init__(self, data):
        self.tracks, self.counters, self.open = {}, {}, {}
        self.slices = 0
        for packet in collect(data, [1])[1]:
            packet = collect(packet, [8, 10, 11, 13, 60])
            assert one(packet[10]) == 1
            for track in packet[60]:
                self.add_track(collect(track, [1, 2, 3, 4, 5, 8]))
            for event in packet[11]:
                self.add_event(one(packet[8]), collect(event, [4, 9, 11, 22, 23, 30]))
        assert not any(self.open.values()), "slices that do not end"

    def add_track(self, track):
        assert one(track[1]) not in self.tracks, "a track twice"
        assert not track[5] or one(track[5]) in self.tracks, "a track below none"
        self.tracks[one(track[1])] = track

    def add_event(self, time, event):
        kind, track = one(event[9]), one(event[11])
        assert track in self.tracks, "an event on no track"
        if kind == 4:
            assert self.tracks[track][8], "a value on what is no counter"
            self.counters.setdefault(track, []).append((time, one(event[30])))
        else:
            assert kind in (1, 2), kind
            self.slices += kind == 1
            self.open[track] = self.open.get(track, 0) + (1 if kind == 1 else -1)


def total_of_perfetto(data, metric):
    trace = Trace(data)
    total = 0
    for track, values in trace.counters.items():
        name = one(trace.tracks[track][2]).decode()
        parent = trace.tracks.get(one(trace.tracks[track][5]))
        assert [time for time, _ in values] == sorted(time for time, _ in values), name
        if parent and parent[3] and re.match(rf"{metric}\b", name):
            total += sum(value for _, value in values)
    assert trace.slices, "there are no slices"
    return total


# --- The others.

def total_of_collapsed(data, metric):
    total = 0
    for line in data.decode().splitlines():
        stack, count = line.rsplit(" ", 1)
        assert all(stack.split(";")), line
        total += int(count)
    return total * 1e3 if METRICS[metric][1] != 1 else total


def check_schema(value, schema, root):
    """As much of JSON Schema as speedscope's uses."""
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return any(check_schema(value, each, root) for each in schema["anyOf"])
    kinds = {"object": dict, "array": list, "string": str, "number": (int, float)}
    return ("type" not in schema or isinstance(value, kinds[schema["type"]])) and \
        value == schema.get("const", value) and \
        value in schema.get("enum", [value]) and \
        all(name in value for name in schema.get("required", [])) and \
        all(check_schema(value[name], each, root)
            for name, each in schema.get("properties", {}).items() if name in value) and \
        all(check_schema(item, schema["items"], root)
            for item in (value if "items" in schema else []))


def read_speedscope(data, schema):
    value = json.loads(data)
    if schema:
        top = schema["definitions"]["FileFormat.File"]
        assert check_schema(value, top, schema), "not as the schema says"
        wrong = json.loads(data)
        wrong["profiles"].append({"type": "sampled", "name": "no samples"})
        assert not check_schema(wrong, top, schema), "the schema was not checked"
    return value


def total_of_speedscope(data, schema):
    value = read_speedscope(data, schema)
    frames = len(value["shared"]["frames"])
    for profile in value["profiles"]:
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(frame < frames for sample in profile["samples"] for frame in sample)
        assert profile["endValue"] == sum(profile["weights"])
    return sum(profile["endValue"] for profile in value["profiles"])


def total_of_pstats(path, metric):
    stats = pstats.Stats(path)
    assert any("estimates" in name for _, _, name in stats.stats), "nothing marks the estimates"
    for figures in stats.stats.values():
        assert set(figures[4]) <= set(stats.stats), "a caller that is no function"
    return stats.total_tt * METRICS[metric][1]


def total_of_dot(data, metric):
    del metric
    return float(re.search(rb'^\tcomment="total (\d+)";$', data, re.M)[1])


def compare(exports, form, metric, where, schema, folder):
    data = exports.export(form, metric, where)
    path = f"{folder}/compared"
    with open(path, "wb") as stream:
        stream.write(data)
    if form == "speedscope":
        total = total_of_speedscope(data, schema)
    elif form == "pstats":
        total = total_of_pstats(path, metric)
    else:
        total = globals()[f"total_of_{form}"](data, metric)
    wanted = exports.total(metric, where)
    # Half a microsecond; the digits of the report's table; a half for each series of a time line.
    if METRICS[metric][1] == 1:
        allowed = 100 if form == "perfetto" else 2
    else:
        allowed = {"collapsed": 1e3, "perfetto": 1e4}.get(form, 100)
    if abs(total - wanted) > allowed:
        fail(f"{form} of {metric} {' '.join(where)}: {total}, but the report says {wanted}")
    return wanted > 0


def check_csv(exports):
    for options in (["--by", "task,function"], ["--by", "time,process"], ["--by", "file,op"],
                    ["--by", "wait", "--where", "task=python3*"], ["--by", "stack"]):
        exported = exports.run("export", "--format", "csv", *options)
        if exported != exports.run("report", "--format", "csv", *options):
            fail(f"csv {options}: another table than the report's")


def main():
    exports, folder = Exports(*sys.argv[1:3]), sys.argv[3]
    schema = None
    if len(sys.argv) > 4:
        with open(sys.argv[4], encoding="utf-8") as stream:
            schema = json.load(stream)
    compared = 0
    for form in ("collapsed", "speedscope", "pprof", "perfetto", "pstats", "dot"):
        for metric in METRICS:
            for where in WHERE:
                compared += compare(exports, form, metric, where, schema, folder)
    if compared < LEAST_COMPARED:
        fail(f"only {compared} exports had anything to compare")
    check_csv(exports)
    for form, suffix in (("pstats", "prof"), ("dot", "dot"), ("pprof", "pb"),
                         ("perfetto", "trace")):
        data = exports.run("export", "--format", form)
        with open(f"{folder}/all.{suffix}", "wb") as stream:
            stream.write(gzip.decompress(data) if form == "pprof" else data)
    print(f"{compared} exports compared with the report")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
