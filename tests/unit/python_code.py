# SPDX-License-Identifier: GPL-2.0-or-later
"""A process with code objects of all sorts, which says what and where they are and waits.

Prints "code ADDRESS FIRST_LINE NAME FILE" (texts in hexadecimal UTF-8, as pipescope is to show them),
"text ADDRESS" of a str, "thread TSTATE IDENT" when ctypes is there, "frame ADDRESS LINE" of its own stack,
innermost first, and "ready". Then answers "key N" with the thread's value of the pthread key N.
"""
import sys

try:
    import ctypes
except ImportError:
    ctypes = None

NAME_LIMIT, FILE_LIMIT = 512, 4096
QUALNAMES = sys.version_info >= (3, 11)
kept = []


def shown(text, limit):
    def hidden(number):
        return (number < 0x20 or 0x7f <= number < 0xa0 or 0xd800 <= number < 0xe000
                or 0x2028 <= number <= 0x202e or 0x2066 <= number <= 0x2069)

    text = "".join("\ufffd" if hidden(ord(c)) else c for c in text)
    if len(text.encode()) > limit:
        while len(text.encode()) > limit - 3:
            text = text[:-1]
        text += "\u2026"
    return text.encode().hex() or "-"


def tell(code):
    kept.append(code)
    name = code.co_qualname if QUALNAMES else code.co_name
    print("code", hex(id(code)), code.co_firstlineno, shown(name, NAME_LIMIT),
          shown(code.co_filename, FILE_LIMIT))


def renamed(name, line=1, file="made up"):
    code = compile("pass", file, "exec")
    more = {"co_qualname": name} if QUALNAMES else {}
    tell(code.replace(co_name=name, co_firstlineno=line, **more))


class Outer:
    class Inner:
        def method(self):
            def local():
                return lambda: 0
            return local

        @staticmethod
        def stät():
            return [x for x in ()]


def переменная():
    pass


def 関数():
    yield


def tell_all():
    for function in (shown, Outer.Inner.method, Outer.Inner().method(), Outer.Inner().method()(),
                     Outer.Inner.stät, переменная, 関数, lambda: 1):
        tell(function.__code__)
    for text in ("", "a", "é", "\xff" * 300, "x" * 512, "x" * 513, "é" * 256, "é" * 257,
                 "\u0416" * 600, "😀", "😀" * 128, "😀" * 129, "a" * 509 + "😀", "a" * 508 + "😀",
                 "a" * 507 + "é" * 4, "line\nbreak", "\x1b[31mred\x7f\x85", "low\udc80surrogate",
                 "right\u202eleft", "nul\0inside", "\U0010ffff"):
        renamed(text)
    for file in ("/tmp/é/ы/😀.py", "<string>", "f" * 4096, "f" * 5000, "ж" * 3000, "bad\udcff.py"):
        renamed("file", 1, file)
    for line in (1, 2, 255, 256, 65536, 1000000):
        renamed("line", line)
    print("text", hex(id(__doc__)))
    if ctypes:
        state = ctypes.pythonapi.PyGILState_GetThisThreadState
        state.restype = ctypes.c_void_p
        import threading
        print("thread", hex(state()), hex(threading.get_ident()))


def tell_frames(frame):
    while frame:
        print("frame", hex(id(frame.f_code)), frame.f_lineno)
        frame = frame.f_back
    print("ready", flush=True)


def answer(request):
    words = request.split()
    if words and words[0] == "key":
        get = ctypes.CDLL(None).pthread_getspecific
        get.restype = ctypes.c_void_p
        print("value", hex(get(ctypes.c_uint(int(words[1]))) or 0), flush=True)
    return bool(words)


def wait():
    # One line, so that the frame told and the frame read are at the same one.
    going = True
    while going:
        tell_frames(sys._getframe()); going = answer(sys.stdin.readline())  # noqa: E702


def generator():
    yield wait()


def through_c():
    # sorted() is C: the interpreter's loop is entered anew for the key function.
    return sorted(
        [0],
        key=lambda x: [y
                       for y in generator()])


tell_all()


class Body:
    result = through_c()
