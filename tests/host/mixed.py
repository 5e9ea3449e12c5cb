# SPDX-License-Identifier: GPL-2.0-or-later
"""Two threads that sleep below a stack of Python and C, and say beforehand what it is.

Each prints "thread IDENT" and "frame LINE NAME FILE" of its own traceback, innermost first, and
"return ADDRESS" of each native frame as the compiler's own unwinder finds them; then "ready".
"""
import _thread
import ctypes
import sys
import time
import traceback

MOST = 256
Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
libc = ctypes.CDLL(None)
libc.backtrace.argtypes = [ctypes.c_void_p, ctypes.c_int]
libc.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, Compare]
told = _thread.allocate_lock()


def tell(thread, stack, returns):
    lines = ["thread %x" % _thread.get_ident()]
    lines += ["frame %d %s %s" % (frame.lineno, frame.name, frame.filename) for frame in reversed(stack)]
    lines += ["return %x" % address for address in returns]
    print("\n".join(lines + ["ready"] * (thread == "main")), flush=True)
    if thread == "other":
        told.release()


def asleep(thread, room):
    # One line, so that the frame told and the frame read are at the same one.
    tell(thread, traceback.extract_stack(sys._getframe()), room[:libc.backtrace(room, MOST)]); time.sleep(600)  # noqa: E702


def drip(thread):
    yield 1
    asleep(thread, (ctypes.c_void_p * MOST)())


def pour(thread):
    yield from drip(thread)


def fall(depth, thread):
    if depth:
        return fall(depth - 1, thread)
    # sum() is C: the interpreter's loop is entered anew for the generators.
    return sum(pour(thread))


def sort_in_c(thread):
    def compare(_one, _other):
        return fall(4, thread)

    two = (ctypes.c_int * 2)()
    libc.qsort(two, 2, 4, Compare(compare))


class Well:
    def echo(self, thread):
        for drop in self.drops(thread):
            return drop

    def drops(self, thread):
        yield [sort_in_c(thread)
               for _ in "x"]


def in_other_thread():
    sorted([0], key=lambda _: Well().echo("other"))


libc.backtrace((ctypes.c_void_p * 1)(), 1)
told.acquire()
_thread.start_new_thread(in_other_thread, ())
told.acquire()
Well().echo("main")
