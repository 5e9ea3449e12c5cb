#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_documents.py PIPESCOPE ROOT PAGES COMPLETION: documents against the program.

* README.md has at most 200 lines.
* Each command and option in code of the documents exists in --help.
* The options of --help, with their arguments, are those of the command's man page in PAGES, and each command has one;
  they are those of COMPLETION as well.
* Each counter and ending of include/counters.h is explained in docs/manual.md.
"""

import glob
import os
import re
import shlex
import subprocess
import sys

README_LINES = 200
LEAST_FOUND = 20  # fewer would mean that the search is broken, not that all is well

failures = []


def fail(text):
    failures.append(text)
    print("FAIL:", text)


def read(path):
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def option_names(help_text):
    """The names of "  -a, --all=VALUE   meaning" lines."""
    names = set()
    for line in help_text.splitlines():
        if re.match(r" {2,}-", line):
            listed = re.split(r" {2,}", line.strip())[0]
            names.update(re.findall(r"(?:^|, )(--?[A-Za-z?][A-Za-z-]*)", listed))
    return names


def ask(program, *arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE,
                          universal_newlines=True).stdout


def options_of_commands(program):
    commands = re.findall(r"^  ([a-z]+) +\S", ask(program, "--help"), re.M)
    options = {name: option_names(ask(program, name, "--help")) for name in commands}
    for name, known in options.items():
        if "--help" not in known:
            fail(f"'pipescope {name} --help' was not understood")
    options[""] = {"-h", "--help", "-V", "--version"}
    return options


def code_of_markdown(text):
    """Indented and fenced blocks, and what stands between backticks, as one-line pieces."""
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    text = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.M | re.S)
    pieces = [line for block in fenced for line in block.splitlines()]
    pieces += [line.strip() for line in text.splitlines() if re.match(r"    |\t", line)]
    prose = "\n".join(line for line in text.splitlines() if not re.match(r"    |\t", line))
    return pieces + re.findall(r"`([^`\n]+)`", prose)


def plain_roff(text):
    text = re.sub(r'\\"[^\n]*', "", text).replace("\\-", "-").replace("\\(aq", "'")
    return re.sub(r"\\f[A-Z]", " ", text)


def code_of_roff(text):
    blocks = re.findall(r"^\.EX\n(.*?)^\.EE", text, re.M | re.S)
    pieces = [line for block in blocks for line in plain_roff(block).splitlines()]
    return pieces + re.findall(r"^\.B (pipescope [a-z].*)$", plain_roff(text), re.M)


def shell_words(text):
    """Up to what ends a command; quotes only hold words together."""
    words = []
    for word in re.findall(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""", text):
        if word[0] in "|;#&>" or word == "--":
            break
        words.append(word)
    return words


def check_mentions(where, piece, options):
    """Returns how many options there were behind "pipescope COMMAND"."""
    found = 0
    for match in re.finditer(r"\bpipescope ((?:[a-z]+\b|-).*)", piece):
        # In words that the program prints it is no call.
        if not re.match(r"(.*(/|[|$] |-- )|([A-Z]+=\S+ )+)?$", piece[: match.start()]):
            continue
        words = shell_words(match[1])
        name = "" if not words or words[0].startswith("-") else words.pop(0)
        if name not in options:
            fail(f"{where}: there is no command 'pipescope {name}'")
            continue
        for word in words:
            option = re.match(r"--[a-z-]+|-[A-Za-z?]", word)
            if option:
                found += 1
                if option[0] not in options[name]:
                    fail(f"{where}: 'pipescope {name}' has no option {option[0]}")
    return found


def check_documents(root, options):
    every = set().union(*options.values())
    found = 0
    paths = ["README.md", "CONTRIBUTING.md"]
    paths += [os.path.relpath(path, root) for path in sorted(glob.glob(f"{root}/docs/*.md"))]
    for path in paths:
        for piece in code_of_markdown(read(os.path.join(root, path))):
            found += check_mentions(path, piece, options)
            alone = re.match(r"(--[a-z-]+|-[A-Za-z?])(?=[ =`]|$)", piece)
            if alone and path in ("README.md", "docs/manual.md"):
                found += 1
                if alone[0] not in every:
                    fail(f"{path}: no command has the option {alone[0]}")
    for path in sorted(glob.glob(f"{root}/docs/man/*.1")):
        for piece in code_of_roff(read(path)):
            found += check_mentions(os.path.basename(path), piece, options)
    if found < LEAST_FOUND:
        fail(f"only {found} options found in the documents: the search is broken")
    return found


def check_answers(program, root):
    """Commands of docs/QUESTIONS.md, on a recording that is not there: 1; what has no meaning: 2."""
    found = 0
    for line in read(f"{root}/docs/QUESTIONS.md").splitlines():
        match = re.match(r"    \$ pipescope ((?:report|quanta|export) [^#>]*)", line)
        if not match:
            continue
        found += 1
        words = shlex.split(match[1].replace("…", "0"))
        words[1] = "/nonexistent/run.rec"
        done = subprocess.run([program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              universal_newlines=True)
        if done.returncode != 1 or "no such file" not in done.stderr:
            fail(f"QUESTIONS.md: {match[1]}: {done.stderr.strip()}")
    if found < LEAST_FOUND // 2:
        fail(f"only {found} commands found in QUESTIONS.md")


def help_entries(help_text):
    """Of "  -a, --all=VALUE   meaning" lines: (names, VALUE)."""
    entries = set()
    for line in help_text.splitlines():
        if re.match(r" {2,}-", line):
            listed = re.split(r" {2,}", line.strip())[0]
            names = re.findall(r"(?:^|, )(--?[A-Za-z?][A-Za-z-]*)", listed)
            value = re.search(r"--[a-z-]+=(\S*)", listed)
            entries.add((tuple(sorted(names)), value[1] if value else ""))
    return entries


def page_entries(text):
    """The same of a page's OPTIONS: tags that were made of the tables are in bold and italics."""
    section = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH |\Z)", text, re.M | re.S)
    entries = set()
    for tag in re.findall(r"^\.TP\n(\\fB\\-.*)$", section[1] if section else "", re.M):
        tag = re.sub(r"\\f[A-Z]", "", tag).replace("\\-", "-")
        names, _, value = tag.partition("=")
        entries.add((tuple(sorted(names.split(", "))), value))
    return entries


def check_man_pages(program, root, pages, options):
    main = plain_roff(read(f"{pages}/pipescope.1"))
    for name, known in options.items():
        path = f"{pages}/pipescope{'-' + name if name else ''}.1"
        if not os.path.exists(path):
            fail(f"there is no {os.path.basename(path)}")
            continue
        text = plain_roff(read(path)).replace('"', " ")
        for option in sorted(known):
            if not re.search(rf"(?:^|[\s,|[]){re.escape(option)}(?=[\s=,\]|]|$)", text, re.M):
                fail(f"{os.path.basename(path)} does not tell of {option}")
        if not name:
            continue
        if f"pipescope-{name}" not in main:
            fail(f"pipescope.1 does not name pipescope-{name}")
        told, listed = page_entries(read(path)), help_entries(ask(program, name, "--help"))
        if told != listed:
            fail(f"{os.path.basename(path)} and --help differ: {told ^ listed}")
    for path in glob.glob(f"{root}/docs/man/pipescope-*.1"):
        if os.path.basename(path)[len("pipescope-"):-2] not in options:
            fail(f"{os.path.basename(path)} is about no command")


def check_completion(path, options):
    text = read(path)
    for name, known in options.items():
        if not name:
            continue
        part = re.search(rf"^\t{name}\)\n\t\toptions='([^']*)'", text, re.M)
        completed = set(part[1].split()) if part else set()
        if completed != {option for option in known if option.startswith("--")}:
            fail(f"completion of {name} knows {completed}, not {known}")


def check_words(root):
    words = re.findall(r'^\tX\([A-Z_]+, "([a-z_]+)"', read(f"{root}/include/counters.h"), re.M)
    manual = read(f"{root}/docs/manual.md")
    if len(words) < LEAST_FOUND:
        fail("counters.h was not understood")
    for word in words:
        if f"`{word}`" not in manual:
            fail(f"docs/manual.md does not explain {word}")


def main():
    program, root, pages, completion = sys.argv[1:]
    lines = len(read(f"{root}/README.md").splitlines())
    if lines > README_LINES:
        fail(f"README.md has {lines} lines, more than {README_LINES}")
    options = options_of_commands(program)
    found = check_documents(root, options)
    check_answers(program, root)
    check_man_pages(program, root, pages, options)
    check_completion(completion, options)
    check_words(root)
    print(f"{len(options) - 1} commands; {found} options in documents; README.md has {lines} lines")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
