#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make-completion.sh PIPESCOPE: bash completion, made of the program's own tables
# (pipescope --describe), to standard output.
set -euo pipefail

program=$1

cat <<'HEAD'
# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for pipescope. Made by the build from the tables of options; do not edit.

# What was typed of a list "a,b,c", up to its last comma, stays.
_pipescope_values() {
	local list=$1 current=$2 before=

	[[ $current != *,* ]] || before=${current%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$list" -- "${current##*,}")
}

_pipescope_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_pipescope() {
	local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} options arguments

	COMPREPLY=()
	# Bash takes "--name=value" as three words.
	if [ "$current" = = ]; then
		current=
	elif [ "$option" = = ] && [ "$COMP_CWORD" -ge 3 ]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	fi
HEAD

names=$("$program" --describe | cut -f 2 | tr '\n' ' ')
cat <<COMMANDS
	if [ "\$COMP_CWORD" -le 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W '${names}--help --version' -- "\$current")
		return
	fi
	case \${COMP_WORDS[1]} in
COMMANDS

for name in $names; do
	# shellcheck disable=SC2016
	"$program" --describe "$name" | awk -F '\t' -v name="$name" '
	$1 == "args" { arguments = $2 }
	$1 == "option" {
		if ($3 != "")
			options = options (options == "" ? "" : " ") "--" $3
		pattern = ($2 == "" ? "" : "-" $2) ($2 != "" && $3 != "" ? " | " : "") \
			($3 == "" ? "" : "--" $3)
		if ($4 != "") {
			patterns[++count] = pattern
			kinds[count] = $4
			of[$3] = count
		}
	}
	$1 == "value" {
		at = of[$2]
		# A filter goes on with "=VALUE", which has to be typed.
		values[at] = values[at] (values[at] == "" ? "" : " ") $3 (kinds[at] ~ /=/ ? "=" : "")
	}
	END {
		print "\t" name ")"
		print "\t\toptions='"'"'" options "'"'"' arguments='"'"'" arguments "'"'"'"
		print "\t\tcase $option in"
		for (i = 1; i <= count; i++) {
			print "\t\t" patterns[i] ")"
			if (values[i] != "")
				print "\t\t\t_pipescope_values '"'"'" values[i] "'"'"' \"$current\""
			else if (kinds[i] == "FILE" || kinds[i] == "OUTPUT")
				print "\t\t\t_pipescope_files \"$current\""
			print "\t\t\treturn"
			print "\t\t\t;;"
		}
		print "\t\tesac"
		print "\t\t;;"
	}'
done

cat <<'TAIL'
	*) return ;;
	esac
	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
	elif [[ $arguments == *COMMAND* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$current")
	elif [[ $arguments == *FILE* ]]; then
		_pipescope_files "$current"
	fi
}

complete -F _pipescope pipescope
TAIL
