#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_chains.py [OPTION...] RECORDING OUTPUT: what mixed.py or cxx.py printed against the recording.

Every stack must reach the bottom, hold the Python frames of the program's own account, and between
them the functions of its extension where the program entered them.

--metric NAME    cpu, or offcpu and io_time: leaves that wait or read instead of computing
--points P       allowed error of a leaf's share
--only NAME      the only leaf that there are to be samples of
--title TEXT     first column of the line of figures; --head prints the columns' names before it
"""

import argparse
import collections
import itertools
import json
import os
import sys

from recording import Checks, Recording, python_frames, short_name

COMPLETE = 0.995  # stacks that reach the bottom
RIGHT_PYTHON = 0.995  # stacks whose Python frames are the program's own
EXCEPTIONS = 0.002  # stacks taken where the interpreter's own list of frames is in between
OUT_OF_LEAVES = 0.02  # allowed error of the share of all leaves together, and 1 / sqrt(samples)
EXCEPTION = "exception: the interpreter's loop begins or ends a frame"
EVAL = "_PyEval_EvalFrameDefault"
SHOWN = 4  # wrong stacks of a kind that are printed

Item = collections.namedtuple("Item", "kind name file first_line line last_line")


def join_repeated(items):
    """A native function that calls itself is one item."""
    result = []
    for item in items:
        if not (result and item.kind == "native" and item == result[-1]):
            result.append(item)
    return result


class Program:
    """What the workload printed."""

    def __init__(self, expected):
        self.expected = expected
        self.executable = expected["executable"]
        self.module = os.path.basename(expected["module"] or "")
        self.chains = {
            leaf["name"]: [self.item(frame) for frame in leaf["chain"]]
            for leaf in expected["leaves"]
        }
        self.names = {i.name for c in self.chains.values() for i in c if i.kind == "native"}
        # Beginnings of chains, without lines, of the main thread and of others. The main thread has
        # Python frames at any time, others need not.
        self.begun = {True: {}, False: {(): [[]]}}
        self.python_begun = {True: set(), False: {()}}
        for chain in self.chains.values():
            main = chain[0].kind == "python"
            python = [item for item in chain if item.kind == "python"]
            self.python_begun[main] |= {shape(python[:n]) for n in range(main, len(python) + 1)}
            for length in range(main, len(chain)):
                self.begun[main].setdefault(shape(chain[:length]), []).append(chain)

    @staticmethod
    def item(frame):
        python = frame["kind"] == "python"
        values = [frame[key] if python else None for key in Item._fields[2:]]
        return Item(frame["kind"], frame["name"], *values)

    def items(self, frames):
        """The frames that the program knows of, outermost first."""
        items = []
        for frame in reversed(frames):
            if frame.kind == "python":
                items.append(
                    Item("python", frame.name, frame.file, frame.first_line, frame.line, None)
                )
            elif frame.kind == "native" and os.path.basename(frame.module) == self.module:
                if short_name(frame.name) in self.names:
                    items.append(Item("native", short_name(frame.name), None, None, None, None))
        while items and self.is_helper(items[-1]):
            items.pop()
        return join_repeated(items)

    def is_helper(self, item):
        """A leaf's account keeping, on top of it."""
        if item.name in self.expected["helpers"]:
            return True
        return item.file == self.expected["chains"] and item.name not in self.expected["drivers"]

    def is_running(self, python):
        """Not starting, not ending."""
        driver = self.expected["drivers"][0]
        return not python or any(item.name == driver for item in python)


def shape(items):
    return tuple(item[:4] for item in items)


def same_lines(items, chain):
    """The innermost Python frame moves within its function, if nothing is known to be above it."""
    for index, (item, wanted) in enumerate(zip(items, chain)):
        if item.kind != "python" or item.line == wanted.line:
            continue
        if index < len(items) - 1:
            return False
        if item.line is None or not wanted.first_line <= item.line <= wanted.last_line:
            return False
    return True


def show(items):
    texts = [
        "%s:%s" % (item.name, item.line) if item.kind == "python" else "[%s]" % item.name
        for item in items
    ]
    groups = [(text, len(list(same))) for text, same in itertools.groupby(texts)]
    return " > ".join(text + (f" x {count}" if count > 1 else "") for text, count in groups)


def repeats(lines, begin, length):
    """How often the lines come there, one after the other."""
    block = lines[begin : begin + length]
    count = 1
    while lines[begin + count * length : begin + (count + 1) * length] == block:
        count += 1
    return count


def show_frames(frames):
    lines = [
        f"{frame.kind:11} {frame.name}{'' if frame.line is None else f':{frame.line}'}"
        f"  ({os.path.basename(frame.module)})"
        for frame in reversed(frames)
    ]
    shown = []
    begin = 0
    while begin < len(lines):
        length = max(range(1, 7), key=lambda n: (repeats(lines, begin, n) - 1) * n)
        count = repeats(lines, begin, length)
        length = length if count > 1 else 1
        shown += lines[begin : begin + length]
        if count > 1:
            shown[-1] += f"  these {length} {count} times" if length > 1 else f"  {count} times"
        begin += length * count
    return "\n".join("        " + line for line in shown)


class Tally:
    def __init__(self, program, recording):
        self.program = program
        self.recording = recording
        self.all = self.complete = self.python = self.between = self.outside = 0
        self.python_frames = self.native_frames = 0
        self.leaves = collections.Counter()
        self.leaf_weights = collections.Counter()
        self.wrong = collections.Counter()
        self.examples = collections.defaultdict(list)
        self.endings = collections.Counter()
        self.gaps = {}  # (caller, callee) -> (fewest, most) native frames between them

    def note_wrong(self, what, count, ending, frames, items):
        self.wrong[what] += count
        if len(self.examples[what]) < (1 if what == EXCEPTION else SHOWN):
            self.examples[what].append((count, ending, frames, items))

    def add(self, count, weight, ending, frames, main):
        program = self.program
        user = [frame for frame in frames if frame.kind != "kernel"]
        items = program.items(user)
        self.all += count
        self.endings[ending] += count
        self.python_frames += count * len(python_frames(user))
        self.native_frames += count * (len(user) - len(python_frames(user)))
        complete = self.recording.is_whole(ending, frames, program.executable)
        self.complete += count if complete else 0
        if not complete:
            self.note_wrong("incomplete", count, ending, frames, items)
        clean = complete and self.check_interpreter(count, ending, frames, items)
        python = [item for item in items if item.kind == "python"]
        known = shape(python) in program.python_begun[main]
        if not known and not program.is_running(python):
            self.outside += count
            self.python += count
            return
        self.python += count if known else 0
        if not known and complete:
            self.note_wrong("other Python frames", count, ending, frames, items)
        elif clean:
            self.classify(count, weight, ending, frames, items, main)

    def check_interpreter(self, count, ending, frames, items):
        """The interpreter's loop is shown only as the leaf, on the frame that it runs. In its first and
        last instructions, and in what it calls there, that frame is not in the interpreter's list."""
        user = [frame for frame in frames if frame.kind != "kernel"]
        for index, frame in enumerate(user):
            if not frame.name.startswith(EVAL):
                continue
            if index == 0 and len(user) > 1 and user[1].kind == "python":
                continue
            what = "the interpreter's loop below others"
            if not python_frames(user[:index]):
                what = EXCEPTION
            self.note_wrong(what, count, ending, frames, items)
            return False
        return True

    def classify(self, count, weight, ending, frames, items, main):
        for name, chain in self.program.chains.items():
            if shape(items) == shape(chain):
                if same_lines(items, chain):
                    self.leaves[name] += count
                    self.leaf_weights[name] += weight
                    self.measure_gaps(frames)
                else:
                    self.note_wrong("other lines", count, ending, frames, items)
                return
        chains = self.program.begun[main].get(shape(items), ())
        if any(same_lines(items, chain) for chain in chains):
            self.between += count
        elif chains:
            self.note_wrong("other lines", count, ending, frames, items)
        else:
            self.note_wrong("other order of Python and C", count, ending, frames, items)

    def measure_gaps(self, frames):
        caller = None
        natives = 0
        for frame in reversed(frames):
            if frame.kind == "python":
                if caller:
                    low, high = self.gaps.get((caller, frame.name), (natives, natives))
                    self.gaps[caller, frame.name] = (min(low, natives), max(high, natives))
                caller, natives = frame.name, 0
            elif frame.kind != "kernel":
                natives += 1


def check_gaps(checks, title, tally):
    expected = tally.program.expected
    for kind in ("through", "direct"):
        for pair in map(tuple, expected[kind]):
            # Before 3.11 a name is not qualified.
            gap = tally.gaps.get(pair) or tally.gaps.get((pair[0], pair[1].rsplit(".", 1)[-1]))
            if gap and kind == "through":
                checks.check(gap[0] > 0, f"{title}: nothing native between {pair[0]} and {pair[1]}")
            if gap and kind == "direct":
                checks.check(
                    gap[1] == 0, f"{title}: {gap[1]} native frames between {pair[0]} and {pair[1]}"
                )


def check_shares(checks, title, tally, points, only):
    """Returns the worst error in points."""
    all_weight = sum(tally.leaf_weights.values())
    worst = (0.0, "")
    for leaf in tally.program.expected["leaves"]:
        wanted = leaf["share"] if not only else 1.0 if leaf["name"] == only else 0.0
        share = tally.leaf_weights[leaf["name"]] / all_weight if all_weight else 0.0
        error = 100 * (share - wanted)
        worst = max(worst, (error, leaf["name"]), key=lambda pair: abs(pair[0]))
        checks.check(
            abs(error) <= points,
            f"{title}: {leaf['name']} has {share:.2%} of the stacks, {wanted:.2%} of the time",
        )
    return worst


def print_examples(tally):
    for what, examples in tally.examples.items():
        for count, ending, frames, items in examples:
            print(f"    {what}, {count} stacks, ending {ending}:\n{show_frames(frames)}")
            if what != "incomplete":
                print(f"      as the program would tell it: {show(items)}")
                near = max(tally.program.chains.values(), key=lambda c: common(items, c))
                print(f"      nearest chain:                {show(near)}")


def common(items, chain):
    return len(os.path.commonprefix([shape(items), shape(chain)])), -len(chain)


def check_program(checks, recording, expected, options):
    program = Program(expected)
    title = options.title or expected["python"]
    process = recording.process(expected["pid"])
    if not checks.check(process, f"{title}: pid {expected['pid']} is not in the recording once"):
        return
    tally = Tally(program, recording)
    rows = recording.rows("SELECT id FROM thread WHERE process = ? AND tid = ?", process.id, process.pid)
    mains = {row[0] for row in rows}
    for stack, ending, thread, count, value in recording.sample_rows(process, options.metric):
        weight = count if options.metric == "cpu" else value
        tally.add(count, weight, ending, recording.frames(stack), thread in mains)
    worst, worst_leaf = check_shares(checks, title, tally, options.points, options.only)
    check_gaps(checks, title, tally)
    exceptions = sum(n for what, n in tally.wrong.items() if what.startswith("exception"))
    mismatches = sum(
        n for what, n in tally.wrong.items() if not what.startswith(("incomplete", "exception"))
    )
    every = max(tally.all, 1)
    if options.head:
        print(
            f"{'':22} {'stacks':>6} {'to bottom':>9} {'Python':>8} {'in leaves':>9} {'between':>7}"
            f" {'outside':>7} {'except.':>7} {'wrong':>5} {'worst error':>11} {'frames: Python':>14}"
            f" {'native':>6}"
        )
    in_leaves = sum(tally.leaves.values())
    print(
        f"{title:22} {tally.all:6} {tally.complete / every:9.2%} {tally.python / every:8.2%}"
        f" {in_leaves:9} {tally.between:7} {tally.outside:7} {exceptions:7} {mismatches:5}"
        f" {worst:+11.2f} {tally.python_frames / every:14.1f} {tally.native_frames / every:6.1f}"
        f"  {worst_leaf}"
    )
    for what, count in tally.wrong.items():
        print(f"    {what}: {count}")
    print_examples(tally)
    checks.check(tally.all, f"{title}: no samples")
    checks.check(
        tally.complete >= COMPLETE * tally.all,
        f"{title}: {tally.all - tally.complete} of {tally.all} stacks do not reach the bottom;"
        f" endings {dict(tally.endings)}",
    )
    checks.check(
        tally.python >= RIGHT_PYTHON * tally.all,
        f"{title}: {tally.all - tally.python} of {tally.all} stacks have other Python frames",
    )
    checks.check(not mismatches, f"{title}: {mismatches} stacks are not what the program says")
    checks.check(
        exceptions <= EXCEPTIONS * tally.all, f"{title}: {exceptions} stacks are exceptions"
    )
    if options.metric == "cpu":
        measured = expected["leaves_s"] / expected["run_s"]
        found = in_leaves / max(in_leaves + tally.between, 1)
        checks.check(
            abs(found - measured) <= OUT_OF_LEAVES + max(tally.all, 1) ** -0.5,
            f"{title}: {found:.2%} of the stacks are in leaves, {measured:.2%} of the time",
        )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--metric", default="cpu")
    parser.add_argument("--points", type=float, default=1.0)
    parser.add_argument("--only")
    parser.add_argument("--title")
    parser.add_argument("--head", action="store_true")
    parser.add_argument("recording")
    parser.add_argument("output")
    options = parser.parse_args()
    recording = Recording(options.recording)
    checks = Checks()
    with open(options.output, encoding="utf-8") as stream:
        check_program(checks, recording, json.loads(stream.read().splitlines()[-1]), options)
    checks.check(not recording.lost(), f"the recording has losses: {recording.lost()}")
    return checks.exit_status()


if __name__ == "__main__":
    sys.exit(main())
