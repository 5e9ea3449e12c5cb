#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# README, manual and man pages against the program's own --help, and do the man pages render?
. "$(dirname "$0")/lib.sh"

root=${tests%/*}

[ -x "$PIPESCOPE" ] || skip "$PIPESCOPE is not built"
command -v python3 >/dev/null || skip "needs python3"

pages=${PIPESCOPE%/*}/man
completion=${PIPESCOPE%/*}/completion.bash
[ -e "$pages/pipescope.1" ] || skip "the man pages are not built"
[ -e "$completion" ] || skip "the completion is not built"

echo "- what documents mention exists, and the other way round"
python3 -B "$here/check_documents.py" "$PIPESCOPE" "$root" "$pages" "$completion" || fail "documents"

echo "- an entry of an option that is not there is an error"
mkdir "$work/man"
cp "$root"/docs/man/*.1 "$work/man"
sed -i 's/^\.BR .*duration.*/.BR \\-\\-no\\-such\\-option/' "$work/man/pipescope-record.1"
if "$root/scripts/make-pages.sh" "$PIPESCOPE" "$work/man" "$work/pages" 2>"$work/err"; then
	fail "an entry of no option was let pass"
fi
grep -q no-such-option "$work/err" || fail "an entry of no option: $(cat "$work/err")"

echo "- a command without words gets a page of its tables"
rm -r "$work/man" "$work/pages"
mkdir "$work/man"
cp "$root"/docs/man/*.1 "$work/man"
rm "$work/man/pipescope-export.1"
"$root/scripts/make-pages.sh" "$PIPESCOPE" "$work/man" "$work/pages" || fail "pages without export's words"
for wanted in '^pipescope\\-export' 'fB\\-\\-format' '^.SH EXIT STATUS'; do
	grep -q "$wanted" "$work/pages/pipescope-export.1" || fail "the page of tables lacks $wanted"
done

# complete WORD...: what bash would offer for the last of them.
complete_words() {
	bash --norc --noprofile -c '
		. "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_pipescope
		printf "%s\n" "${COMPREPLY[@]}"' bash "$completion" "$@" | sort | xargs
}

# completes WANTED WORD...
completes() {
	local wanted=$1 found

	shift
	found=$(complete_words "$@")
	[ "$found" = "$wanted" ] || fail "completion of '$*' is '$found', not '$wanted'"
}

echo "- completion"
touch "$work/night.rec" "$work/night.json"
completes "export" pipescope ex
completes "--duration" pipescope record --du
completes "--no-browser" pipescope view --n
completes "speedscope" pipescope export --format sp
completes "speedscope" pipescope export -f sp
completes "speedscope" pipescope export --format = sp
completes "io_time" pipescope report --metric io_
completes "task,function" pipescope report --by task,fun
completes "task=" pipescope report --where tas
completes "$work/night.json $work/night.rec" pipescope report "$work/ni"
completes "$work/night.json $work/night.rec" pipescope report -o "$work/ni"
completes "" pipescope record --frequency 1
completes "" pipescope no-such-command --
for name in $("$PIPESCOPE" --describe | cut -f 2); do
	[[ " $(complete_words pipescope "$name" --) " == *" --help "* ]] || fail "completion of $name -- lacks --help"
done

if [ "$PIPESCOPE" -ef "$root/.output/pipescope" ]; then
	echo "- installation"
	# With the flags of the build, or it would begin anew.
	CI=$(grep -q -e -Werror "$root/.output/flags" && echo 1) \
		make -s -C "$root" DESTDIR="$work/root" PREFIX=/usr install >/dev/null 2>"$work/err" ||
		fail "make install: $(cat "$work/err")"
	for file in bin/pipescope share/man/man1/pipescope.1 share/man/man1/pipescope-top.1 \
		share/bash-completion/completions/pipescope; do
		[ -s "$work/root/usr/$file" ] || fail "make install does not install $file"
	done
fi

render() {
	if command -v groff >/dev/null; then
		groff -man -Tutf8 -ww -z "$1" 2>&1
	else
		{ man --warnings -l "$1" >/dev/null; } 2>&1
	fi
}

echo "- man pages render without warnings"
if command -v groff >/dev/null || command -v man >/dev/null; then
	for page in "$pages"/*.1 "$work"/pages/*.1; do
		warnings=$(render "$page") || fail "${page##*/} does not render"
		[ -z "$warnings" ] || fail "${page##*/}: $warnings"
	done
elif [ "$failures" = 0 ]; then
	skip "all else passed; rendering the man pages needs groff or man"
fi
finish
