#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch.sh VERSION: print the path of a program that starts Debian's newest CPython of that version
# (3.13, 3.14). It lies, with the libraries and headers that it needs, below a folder of its own and
# runs in a chroot there, in which the rest of the file system is as outside. Fetches what is not in
# the cache; apt's state of this machine is not touched, nothing is installed.
# PIPESCOPE_PYTHON_CACHE: where they stay (default: .output/pythons). Exit status 77: cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/vm/apt.sh
. tests/vm/apt.sh

suite=sid

python_cache() {
	local cache=${PIPESCOPE_PYTHON_CACHE:-.output/pythons}
	mkdir -p "$cache"
	(cd "$cache" && pwd)
}

# The same pid from here to the interpreter: each step replaces the one before.
write_starter() {
	cat >"$1" <<-STARTER
		#!/bin/sh
		# Made by tests/pythons/fetch.sh: CPython in a chroot, in a mount namespace of its own.
		here=\$(cd "\$(dirname "\$0")/.." && pwd) || exit 126
		exec unshare --mount --propagation private sh -c '
		root=\$1/root
		shift
		for folder in /*; do
			case \$folder in
			/bin | /boot | /etc | /lib* | /sbin | /usr | /var) continue ;;
			esac
			[ -d "\$folder" ] && [ ! -h "\$folder" ] || continue
			mkdir -p "\$root\$folder" && mount --rbind "\$folder" "\$root\$folder" || exit 126
		done
		exec unshare --root="\$root" --wd="\$PWD" /usr/bin/python$2 "\$@"' starter "\$here" "\$@"
	STARTER
	chmod +x "$1"
}

# unpack FILE...: packages into $work/$name/root; it needs no script of theirs.
unpack() {
	local file
	for file in "$@"; do
		dpkg-deb --fsys-tarfile "$file" |
			tar -x -C "$work/$name/root" --keep-directory-symlink \
				--exclude='./usr/share/doc' --exclude='./usr/share/man'
	done
}

fetch() {
	local version=$1 folder more
	apt_begin "$work/apt" "$suite"
	echo "pythons: fetching CPython $version ($suite) from $apt_mirror" >&2
	[ -n "$(apt-cache search --names-only "^python$version\$")" ] ||
		unavailable "$suite has no CPython $version"
	mkdir -p "$work/$name/root/usr/lib64" "$work/$name/root/usr/sbin" "$work/$name/bin"
	for folder in bin lib lib64 sbin; do
		mkdir -p "$work/$name/root/usr/$folder"
		ln -s "usr/$folder" "$work/$name/root/$folder"
	done
	apt-get -q -y --download-only install "python$version" libstdc++6 >>"$work/apt/log" 2>&1 ||
		unavailable "cannot download CPython $version: $(apt_complaint)"
	unpack "$apt_root"/cache/archives/*.deb
	# Headers, without the C library's and what else these depend on: those of this machine do.
	mkdir "$work/headers"
	for more in "libpython$version-dev" pybind11-dev; do
		(cd "$work/headers" && apt-get -q download "$more" >>"$work/apt/log" 2>&1) ||
			unavailable "cannot download $more: $(apt_complaint)"
	done
	unpack "$work"/headers/*.deb
	write_starter "$work/$name/bin/python$version" "$version"
	# Whole or not at all: another run may be reading the cache.
	mv -T "$work/$name" "$cache/$name" 2>/dev/null || [ -e "$cache/$name/bin" ]
}

case ${1:-} in
3.[0-9] | 3.[0-9][0-9]) ;;
*)
	echo "Usage: fetch.sh VERSION (3.13, 3.14)" >&2
	exit 2
	;;
esac
name=$suite-$1
cache=$(python_cache)
if [ ! -e "$cache/$name" ]; then
	command -v dpkg-deb >/dev/null || unavailable "dpkg-deb is missing"
	# Beside the cache, so that the last step is a rename.
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	fetch "$1"
fi
[ "$(id -u)" = 0 ] || unavailable "a chroot needs root"
problem=$("$cache/$name/bin/python$1" -c '' 2>&1) ||
	unavailable "CPython $1 in $cache/$name does not start: ${problem:-no reason given}"
echo "$cache/$name/bin/python$1"
