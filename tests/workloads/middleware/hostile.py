# SPDX-License-Identifier: GPL-2.0-or-later
"""hostile.py: runs quanta whose objects are not what a rule expects, each for 60 ms.

Prints one JSON object a line: the quantum's number, and its label: null when none is to be read. Nothing about these
objects may stop, slow or mislead who reads them.
"""
import json
import os
import resource
import sys
import threading
import time
import types

SOURCE = """
def execute(task_node, quantum, work):
    getrusage(RUSAGE_SELF)
    work()
    return task_node
"""
# As the middleware's file is called.
scope = {"getrusage": resource.getrusage, "RUSAGE_SELF": resource.RUSAGE_SELF}
exec(compile(SOURCE, "/hostile/single_quantum_executor.py", "exec"), scope)
execute = scope["execute"]


class Node:
    def __init__(self, key):
        self.key = key


class Slotted:
    __slots__ = ("key",)

    def __init__(self, key):
        self.key = key


class Property:
    @property
    def key(self):
        os._exit(1)  # nobody runs code here


class Data:
    def __init__(self, values):
        self._dataId = values


class Itself(dict):
    pass


def deep_class(depth):
    parent = Node
    for number in range(depth):
        parent = type("C%d" % number, (parent,), {})
    return parent


def crowded(count):
    node = Node((None, "isr"))
    node.__dict__ = dict({"name %d" % i: i for i in range(count)}, key=(None, "isr"))
    return node


def cyclic():
    values = Itself()
    values["self"] = values
    values["visit"] = 7
    return Data(values)


def cases():
    """(what, node, quantum, label)"""
    plain = Data({"visit": 1})
    yield "first", Node((None, "isr")), plain, "any"  # while its code is not known
    yield "at once", Node((None, "isr")), plain, "isr"  # in the same frame, before anybody has looked again
    yield "long label", Node((None, "y" * 10000000)), plain, "y" * 253 + "\u2026"
    yield "label of bytes", Node((None, b"isr")), plain, None
    yield "no label", Node((None,)), plain, None
    yield "label is a type", Node((None, Node)), plain, "__main__.Node"
    yield "control characters", Node((None, "a\nb\x1b[2J")), plain, "a??b?[2J".replace("??", "?")
    yield "lone surrogate", Node((None, "a\ud800b")), plain, "a?b"
    yield "property", Property(), plain, None
    yield "slots", Slotted((None, "isr")), plain, "isr"
    yield "unset slot", Slotted.__new__(Slotted), plain, None
    yield "key is no tuple", Node({1: "isr"}), plain, None
    yield "deep classes", deep_class(900)((None, "isr")), plain, "isr"
    yield "crowded instance", crowded(200000), plain, None
    yield "many fields", Node((None, "isr")), Data({"field %d" % i: i for i in range(200000)}), "isr"
    yield "long values", Node((None, "isr")), Data({"visit": "v" * 1000000, "w" * 100000: 1}), "isr"
    yield "cyclic data", Node((None, "isr")), cyclic(), "isr"
    yield "large numbers", Node((None, "isr")), Data({"visit": 1 << 100000}), "isr"
    yield "no data", Node((None, "isr")), None, "isr"
    yield "namespace", types.SimpleNamespace(key=(None, "isr")), plain, "isr"


def change(node, stop):
    """Other objects in the places of those that are read, all the time."""
    while not stop.is_set():
        node.key = (None, "isr")
        node.__dict__.update({"n%d" % i: i for i in range(50)})
        for i in range(50):
            del node.__dict__["n%d" % i]


def main():
    time.sleep(0.3)
    nodes = []
    for number, (what, node, quantum, label) in enumerate(cases()):
        nodes.append(node)
        execute(node, quantum, lambda: time.sleep(0.06 if nodes[1:] else 0.5))
        print(json.dumps({"number": number + 1, "what": what, "label": label, "pid": os.getpid()}))
    stop = threading.Event()
    node = Node((None, "isr"))
    changer = threading.Thread(target=change, args=(node, stop))
    changer.start()
    kept = []  # two at one address, one after the other, would be one
    for _ in range(5):
        number += 1
        kept.append(Data({"visit": number}))
        execute(node, kept[-1], lambda: time.sleep(0.06))
        print(json.dumps({"number": number + 1, "what": "changing", "label": "any", "pid": os.getpid()}))
    stop.set()
    changer.join()
    sys.stdout.flush()


main()
