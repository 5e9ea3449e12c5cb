# SPDX-License-Identifier: GPL-2.0-or-later
"""Two threads that sleep below a known stack, and say beforehand what it is.

Each prints "thread IDENT" and "frame LINE NAME FILE" of its own traceback, innermost first; then "ready".
"""
import _thread
import sys
import time
import traceback

told = _thread.allocate_lock()


def tell(thread, stack):
    lines = ["thread %x" % _thread.get_ident()]
    lines += ["frame %d %s %s" % (frame.lineno, frame.name, frame.filename) for frame in reversed(stack)]
    print("\n".join(lines + ["ready"] * (thread == "main")), flush=True)
    if thread == "other":
        told.release()


def asleep(thread):
    # One line, so that the frame told and the frame read are at the same one.
    tell(thread, traceback.extract_stack(sys._getframe())); time.sleep(600)  # noqa: E702


def drip(thread):
    yield 1
    asleep(thread)


def pour(thread):
    yield from drip(thread)


def fall(depth, thread):
    if depth:
        return fall(depth - 1, thread)
    # sum() is C: the interpreter's loop is entered anew for the generators.
    return sum(pour(thread))


class Well:
    def echo(self, thread):
        for drop in self.drops(thread):
            return drop

    def drops(self, thread):
        yield [fall(5, thread)
               for _ in "x"]


def in_other_thread():
    sorted([0], key=lambda _: Well().echo("other"))


told.acquire()
_thread.start_new_thread(in_other_thread, ())
told.acquire()
Well().echo("main")
