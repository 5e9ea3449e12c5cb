# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests of mixed stacks share, after lib.sh: extensions for each CPython, and a run of a
# workload whose stacks are checked.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Native callers are a feature of its own: a recording of it knows more ways for a stack to end.
need_native_stacks() {
	start_recorder -p $$ -o "$work/empty.rec" || die "the recorder did not start"
	stop_recorder INT || fail "the recorder ended with status $?"
	[ -n "$(sql "$work/empty.rec" "SELECT 1 FROM ending WHERE name = 'no_unwind_rows'")" ] ||
		skip "$PIPESCOPE does not walk native stacks here"
}

# build_extension PYTHON SOURCE: an extension module, in a folder of that Python's own. Prints its
# path, or fails with the reason in $work/extension.err.
build_extension() {
	local python=$1 source=$2 root include folder compiler=("${CC:-cc}" -std=gnu11)

	root=$(chroot_of "$python")
	include=$root$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["include"])') || return 1
	if [ ! -f "$include/Python.h" ]; then
		echo "no Python.h in $include" >"$work/extension.err"
		return 1
	fi
	[[ $source != *.cpp ]] || compiler=("${CXX:-c++}" -std=c++17)
	if ! command -v "${compiler[0]}" >/dev/null; then
		echo "no ${compiler[0]}" >"$work/extension.err"
		return 1
	fi
	folder=$work/extensions${python//\//-}
	mkdir -p "$folder"
	"${compiler[@]}" -D_GNU_SOURCE -O2 -g -Wall -Wextra -fPIC -shared -fomit-frame-pointer \
		-I"$include" ${root:+"-I$root/usr/include"} -o "$folder/${source%.*}.so" "$tests/workloads/$source" -lpthread \
		2>"$work/extension.err" || return 1
	echo "$folder/${source%.*}.so"
}

extension_error() {
	grep -m 1 -E 'error|^no ' "$work/extension.err"
}

# The oldest CPython has one loop of the interpreter for each Python frame, the newest one for many.
oldest_and_newest() {
	[ ${#pythons[@]} -lt 2 ] || pythons=("${pythons[0]}" "${pythons[-1]}")
}

# "3.11 /usr/bin/python3.11" → "3.11 usr"
python_title() {
	echo "${1%% *} $(basename "$(dirname "$(dirname "${1#* }")")")"
}

# check_stacks TITLE SOURCES METRIC HZ SECONDS POINTS PYTHON PROGRAM OPTION...: records a run of the
# workload from when it is ready to when it has printed its answer, and checks its stacks.
checked=0
check_stacks() {
	local title=$1 sources=$2 metric=$3 hz=$4 seconds=$5 points=$6 python=$7 program=$8 workload go
	local number=$checked
	local -a options=(--title "$title" --metric "$metric" --points "$points")

	shift 8
	[ $((checked++)) != 0 ] || options+=(--head)
	mkfifo "$work/go.$number"
	"$python" -B "$tests/workloads/$program" --wait --seconds "$seconds" "$@" \
		<"$work/go.$number" >"$work/stacks.$number" &
	workload=$!
	started+=("$workload")
	exec {go}>"$work/go.$number"
	wait_for 20 grep -q ready "$work/stacks.$number" || die "$program did not start"
	start_recorder -p "$workload" -F "$hz" --sources "$sources" -o "$work/$number.rec" ||
		die "the recorder did not start"
	echo >&"$go"
	wait_for $((${seconds%.*} * 4 + 20)) grep -q ']}' "$work/stacks.$number" ||
		die "$program printed nothing"
	stop_recorder INT || fail "the recorder ended with status $?"
	exec {go}>&-
	wait "$workload" || fail "$program failed"
	python3 -B "$here/check_chains.py" "${options[@]}" "$work/$number.rec" \
		"$work/stacks.$number" || fail "stacks of $title"
	[ -z "${KEEP:-}" ] || cp "$work/$number.rec" "$work/stacks.$number" "$KEEP"
}
