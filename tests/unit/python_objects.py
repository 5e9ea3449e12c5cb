# SPDX-License-Identifier: GPL-2.0-or-later
"""A process with objects of all sorts, which says what ways lead to which values and waits.

Prints "path ADDRESS HOW TEXT PATH": from the object at ADDRESS, the end of PATH is TEXT (hexadecimal UTF-8; "-":
there is no such thing), HOW is text, uuid or count; "local CODE NAME SLOT CELL"; "member ADDRESS KEY TEXT" for each member
of a dict, in order; and "ready".
"""
import sys
import types
import uuid

kept = []


def tell(start, path, text, how="text"):
    kept.append(start)
    shown = "-" if text is None else "=" + text.encode().hex()
    print("path", hex(id(start)), how, shown, path)


class Plain:
    shared = "of the class"

    def __init__(self):
        self.number = 7
        self.text = "seven"
        self.nothing = None

    @property
    def code(self):
        return "never run"


class Child(Plain):
    other = ("a", "b")


class Slots:
    __slots__ = ("first", "second", "empty", "__weakref__")

    def __init__(self):
        self.first = "1st"
        self.second = 2


class MoreSlots(Slots):
    __slots__ = ("third",)


class SlotsAndDict(Slots):
    pass


class Mapping(dict):
    pass


class IntWithDict(int):
    pass


class TupleWithDict(tuple):
    pass


class Failure(Exception):
    pass


class Outer:
    class Inner:
        pass


def instances():
    plain = Plain()
    tell(plain, "x.number", "7")
    tell(plain, "x.text", "seven")
    tell(plain, "x.nothing", None)
    tell(plain, "x.missing", None)
    tell(plain, "x.shared", "of the class")
    tell(plain, "x.code", None)
    tell(plain, "x.__class__", "__main__.Plain")
    tell(plain, "x.__class__.shared", "of the class")
    tell(plain, "x.__class__.__class__", None)
    child = Child()
    tell(child, "x.number", "7")
    tell(child, "x.other[1]", "b")
    tell(child, "x.other[2]", None)
    tell(child, "x.shared", "of the class")
    # A look at __dict__ makes a dict of it, where it was values.
    shown = Plain()
    shown.__dict__["more"] = "added"
    tell(shown, "x.text", "seven")
    tell(shown, "x.more", "added")
    grown = Plain()
    for i in range(100):
        setattr(grown, "field_%d" % i, i)
    tell(grown, "x.field_99", "99")
    tell(grown, "x.field_0", "0")
    del grown.text
    tell(grown, "x.text", None)
    replaced = Plain()
    replaced.__dict__ = {"text": "another dict"}
    tell(replaced, "x.text", "another dict")
    tell(replaced, "x.number", None)
    many = [Plain() for _ in range(40)]
    for i, one in enumerate(many):
        one.text = "number %d" % i
    tell(many, "x[39].text", "number 39")
    failure = Failure("no")
    failure.reason = "why"
    tell(failure, "x.reason", "why")
    module = types.ModuleType("module")
    module.variable = "of a module"
    tell(module, "x.variable", "of a module")
    tell(Outer.Inner(), "x.__class__", "__main__.Outer.Inner")
    whole = IntWithDict(12)
    whole.text = "not looked for"
    tell(whole, "x", "12")
    if sys.version_info < (3, 12):
        tell(whole, "x.text", None)
    several = TupleWithDict((1, 2))
    tell(several, "x[1]", "2")


def slots():
    for one in (Slots(), MoreSlots(), SlotsAndDict()):
        tell(one, "x.first", "1st")
        tell(one, "x.second", "2")
        tell(one, "x.empty", None)
        tell(one, "x.third", None)
    more = MoreSlots()
    more.third = ["in", "a list"]
    tell(more, "x.third[1]", "a list")
    both = SlotsAndDict()
    both.more = "in the dict"
    tell(both, "x.more", "in the dict")
    tell(both, "x.second", "2")
    identity = uuid.UUID("01234567-89ab-cdef-fedc-ba9876543210")
    tell(identity, "x.int", str(identity), "uuid")
    tell(identity, "x.int", str(identity.int))
    tell(identity.int, "x", str(identity), "uuid")
    for text in ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                 "00000000-0000-0000-0000-000000000001"):
        tell(uuid.UUID(text), "x.int", text, "uuid")


def values():
    for number in (0, 1, -1, 255, 256, -6, 2**30 - 1, 2**30, -(2**30), 2**60, 2**63, 2**64, 2**120, 2**128 - 1,
                   -(2**127)):
        tell([number], "x[0]", str(number))
    tell([2**128], "x[0]", None)
    tell([2**2000], "x[0]", None)
    tell([-1], "x[0]", None, "uuid")
    tell([2**128], "x[0]", None, "uuid")
    tell(["x"], "x[0]", None, "uuid")
    tell([True, False], "x[0]", "True")
    tell([True, False], "x[1]", "False")
    for number in (0.0, 1.5, -2.25, 1e300):
        tell([number], "x[0]", "%.15g" % number)
    tell("\u043f\u0440\u0438\u0432\u0435\u0442", "x", "\u043f\u0440\u0438\u0432\u0435\u0442")
    tell("a\nb", "x", "a\ufffdb")
    tell("y" * 1000, "x", "y" * 253 + "\u2026")
    tell(b"bytes", "x", None)
    tell({}, "x", None)
    tell(len, "x", None)
    tell(int, "x", None)
    tell(None, "x.anything", None)


def dicts():
    numbers = {i: str(i) for i in range(5)}
    numbers["visit"] = 903334
    numbers["band"] = "r"
    tell(numbers, "x['visit']", "903334")
    tell(numbers, 'x["band"]', "r")
    tell(numbers, 'x["gone"]', None)
    tell(numbers, "x.visit", None)
    tell(numbers, "x[0]", None)
    large = {"key %d" % i: i for i in range(10000)}
    del large["key 17"]
    tell(large, 'x["key 9999"]', "9999")
    tell(large, 'x["key 17"]', None)
    medium = {"key %d" % i: i for i in range(200)}
    tell(medium, 'x["key 199"]', "199")
    derived = Mapping(LABEL="isr", RUN="u/someone/run")
    tell(derived, 'x["RUN"]', "u/someone/run")
    tell({"a": {"b": [({"c": "deep"},)]}}, 'x["a"]["b"][0][0]["c"]', "deep")
    tell({"\u00e9": 1, "e": 2}, 'x["e"]', "2")
    members = {"instrument": "X", 5: "not told", "visit": 1228, "band": "i"}
    kept.append(members)
    for key, value in members.items():
        if isinstance(key, str):
            print("member", hex(id(members)), key, str(value).encode().hex())


def counts():
    tell((1, 2, 3), "x", "3", "count")
    tell([], "x", "0", "count")
    tell({object(): (1, 2), object(): [3], object(): "one"}, "x", "4", "count")
    emptied = {i: (i, i) for i in range(6)}
    del emptied[3]
    tell(emptied, "x", "10", "count")
    tell({i: i for i in range(1000)}, "x", "1000", "count")
    tell({i: i for i in range(20000)}, "x", None, "count")
    tell("text", "x", None, "count")
    tell(7, "x", None, "count")


def plain_locals(first, second=1, *rest, **more):
    third = first
    return third, second, rest, more


def captured(first, second, third):
    inner_only = second

    def inner():
        return second, inner_only, fourth()

    def fourth():
        return third
    return first, inner


def where():
    _first, inner = captured(1, 2, 3)
    for code in (plain_locals.__code__, captured.__code__, inner.__code__):
        names = list(code.co_varnames)
        if sys.version_info < (3, 11):
            slots = {name: (i, 0) for i, name in enumerate(names)}
            behind = len(names)
        else:
            slots = {name: (i, int(name in code.co_cellvars)) for i, name in enumerate(names)}
            behind = len(names)
        for name in code.co_cellvars:
            if sys.version_info < (3, 11) or name not in names:
                slots[name] = (behind, 1)
                behind += 1
        for name in code.co_freevars:
            slots[name] = (behind, 1)
            behind += 1
        for name, (slot, cell) in slots.items():
            print("local", hex(id(code)), name, slot, cell)
        print("local", hex(id(code)), "no_such_name", -1, 0)


class Registry:
    _table = Mapping(RUN="u/someone/from-a-module", LABEL="isr")


instances()
slots()
values()
dicts()
counts()
where()
tell(None, "__main__:Registry._table['RUN']", "u/someone/from-a-module")
tell(None, "__main__:Registry", "__main__.Registry")
tell(None, "uuid:NAMESPACE_DNS.int", str(uuid.NAMESPACE_DNS), "uuid")
tell(None, "__main__:Nothing", None)
tell(None, "no.such.module:x", None)
print("ready", flush=True)
sys.stdin.readline()
