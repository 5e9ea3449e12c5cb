#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-pages.sh PIPESCOPE SOURCES TARGET: the man pages. SOURCES/pipescope-COMMAND.1 is what people
# wrote; names and arguments of options, their first sentences, and the list of commands come from
# the program's own tables (pipescope --describe). In SOURCES an entry of OPTIONS, ".TP", the option,
# text, holds what is to be said beyond that sentence; an option that needs no more has no entry. An
# entry of an option that the command does not have is an error. A command without a source gets a
# page made of its tables alone.
set -euo pipefail

program=$1 sources=$2 target=$3
tables=$(mktemp -d)
trap 'rm -rf "$tables"' EXIT

# shellcheck disable=SC2016
readonly JOIN='
function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return text ~ /^[.'"'"']/ ? "\\&" text : text
}
function sentence(text) {
	return toupper(substr(text, 1, 1)) substr(text, 2) (text ~ /[.!?:]$/ ? "" : ".")
}
function option_tag(letter, name, argument,    tag) {
	tag = letter == "" ? "" : "\\fB\\-" roff(letter) "\\fR" (name == "" ? "" : ", ")
	tag = tag (name == "" ? "" : "\\fB\\-\\-" roff(name) "\\fR")
	if (argument != "") {
		gsub(/[A-Z][A-Z]*/, "\\fI&\\fR", argument)
		tag = tag "=" argument
	}
	return tag
}
# What an entry is about: the long option in its second line, or the command.
function subject(line) {
	gsub(/\\/, "", line)
	if (section == "COMMANDS")
		return second_word(line)
	return match(line, /--[a-z][a-z-]*/) ? substr(line, RSTART + 2, RLENGTH - 2) : ""
}
function second_word(line,    words) {
	split(line, words, " ")
	return words[2]
}
function flush_section(    i, key) {
	printf "%s", preamble
	for (i = 1; i <= count; i++) {
		key = keys[i]
		print ".TP"
		print tags[i]
		print roff(sentence(texts[i]))
		printf "%s", extra[key]
		used[key] = 1
	}
	for (key in extra)
		if (!(key in used)) {
			print FILENAME ": the program does not have " key >"/dev/stderr"
			failed = 1
		}
}
function end_section() {
	if (section == wanted) {
		flush_section()
		written = 1
	}
	section = ""
}
NR == FNR {
	split($0, field, "\t")
	if (field[1] == "option" && wanted == "OPTIONS") {
		keys[++count] = field[3]
		tags[count] = option_tag(field[2], field[3], field[4])
		texts[count] = field[5]
	} else if (field[1] == "command" && wanted == "COMMANDS") {
		keys[++count] = field[2]
		tags[count] = ".BR " field[2] " \", see \" pipescope\\-" field[2] " (1)"
		texts[count] = field[3]
	}
	next
}
/^\.SH / {
	end_section()
	print
	section = substr($0, 5)
	begun = depth = 0
	next
}
section != wanted {
	print
	next
}
/^\.RS/ { depth++ }
/^\.RE/ { depth-- }
/^\.TP/ && !depth {
	begun = expect = 1
	next
}
expect {
	expect = 0
	entry = subject($0)
	extra[entry] = ""
	next
}
!begun {
	preamble = preamble $0 "\n"
	next
}
{ extra[entry] = extra[entry] $0 "\n" }
END {
	end_section()
	if (!written) {
		print FILENAME ": has no section " wanted >"/dev/stderr"
		failed = 1
	}
	exit failed
}'

# From the tables alone.
# shellcheck disable=SC2016
readonly ALONE='
function roff(text) {
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return text ~ /^[.'"'"']/ ? "\\&" text : text
}
BEGIN { FS = "\t" }
{ gsub(/\\n/, " ", $0) }
$1 == "args" { args = roff($2) }
$1 == "doc" { doc = roff($2) }
$1 == "notes" { notes = roff($2) }
END {
	print ".\\\" SPDX-License-Identifier: GPL-2.0-or-later"
	print ".TH PIPESCOPE\\-" toupper(name) " 1 \"\" \"pipescope\" \"User Commands\""
	print ".SH NAME\npipescope\\-" name " \\- " roff(summary)
	print ".SH SYNOPSIS\n.B pipescope " name "\n.RI [ OPTION ...]"
	if (args != "")
		print args
	print ".SH DESCRIPTION\n" doc "\n.SH OPTIONS"
	print ".SH EXIT STATUS\n0: done; 1: it failed, standard error tells why; 2: wrong usage."
	if (notes != "")
		print ".SH NOTES\n" notes
	print ".SH SEE ALSO\n.BR pipescope (1)"
}'

mkdir -p "$target"
"$program" --describe >"$tables/commands"
awk -v wanted=COMMANDS "$JOIN" "$tables/commands" "$sources/pipescope.1" >"$target/pipescope.1"
while IFS=$'\t' read -r _ name summary; do
	source=$sources/pipescope-$name.1
	"$program" --describe "$name" >"$tables/$name"
	if [ ! -e "$source" ]; then
		source=$tables/pipescope-$name.1
		awk -v name="$name" -v summary="$summary" "$ALONE" "$tables/$name" >"$source"
	fi
	awk -v wanted=OPTIONS "$JOIN" "$tables/$name" "$source" >"$target/pipescope-$name.1"
done <"$tables/commands"
