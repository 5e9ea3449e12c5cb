# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the line tables of many code objects and what the interpreter itself says of each code unit.

One line per code object: first line, table in hexadecimal, then for each code unit of two bytes its line
(0: none) as "line*units" runs.
"""
import dis
import importlib.util
import random
import types

MODULES = ("argparse ast base64 calendar codecs collections configparser contextlib copy csv "
           "dataclasses decimal difflib dis email.message enum fractions functools heapq inspect "
           "json.decoder locale logging mailbox optparse os pdb pickle pickletools platform "
           "pydoc random shutil smtplib statistics string tarfile tempfile textwrap threading "
           "tokenize traceback typing unittest.mock uuid xml.dom.minidom zipfile").split()


def made_up(seed):
    """Source with what modules seldom have: far jumps of lines, long statements, no line at all."""
    rng = random.Random(seed)
    text = ["def gap():\n" + "\n" * 300 + "    a = 1\n" + "\n" * 70000 + "    return a\n"]
    text.append("def long_call():\n    return f(" + ",\n".join("a%d" % i for i in range(400)) + ")\n")
    text.append("def long_line():\n    return [" + ", ".join("a + b" for _ in range(300)) + "]\n")
    text.append("def back(x):\n    return (" + "\n" * 200 + "x" + "\n" * 150 + ")(\n 1,\n x)\n")
    text.append("async def co(x):\n    async with x as y:\n        await y\n    try:\n"
                "        yield 1\n    finally:\n        for z in (1,\n 2):\n            continue\n")
    text.append("def handlers(x):\n    try:\n        x()\n    except (ValueError,\n"
                "            KeyError) as e:\n        raise e from None\n    else:\n"
                "        with x:\n            pass\n    finally:\n        del x\n")
    for i in range(40):
        body = "".join("    " + rng.choice(["pass", "x = f(\n\n x)", "y = lambda: 0",
                                            "if x: y = 1", "while x: x = y", "assert x"])
                       + "\n" * rng.choice([1, 1, 1, 2, 130, 260]) for _ in range(20))
        text.append("def random_%d(x):\n%s" % (i, body))
    return "".join(text)


def code_objects(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


def lines_of(code):
    lines = [0] * (len(code.co_code) // 2)
    if hasattr(code, "co_lines"):
        for start, end, line in code.co_lines():
            for unit in range(start // 2, end // 2):
                lines[unit] = line or 0
        return lines
    starts = list(dis.findlinestarts(code)) + [(len(code.co_code), 0)]
    for (start, line), (end, _) in zip(starts, starts[1:]):
        for unit in range(start // 2, end // 2):
            lines[unit] = line
    return lines


def print_code(code):
    runs = []
    for line in lines_of(code):
        if runs and runs[-1][0] == line:
            runs[-1][1] += 1
        else:
            runs.append([line, 1])
    table = code.co_linetable if hasattr(code, "co_linetable") else code.co_lnotab
    print(code.co_firstlineno, table.hex() or "-", *("%d*%d" % tuple(run) for run in runs))


def main():
    for name in MODULES:
        try:
            source = importlib.util.find_spec(name).origin
            with open(source, "rb") as file:
                text = file.read()
        except (ImportError, AttributeError, OSError, TypeError):
            continue  # a cut-down standard library
        for code in code_objects(compile(text, name, "exec", dont_inherit=True)):
            print_code(code)
    for code in code_objects(compile(made_up(1), "made_up", "exec")):
        print_code(code)
        print_code(code.replace(co_firstlineno=code.co_firstlineno + 1000000))


main()
