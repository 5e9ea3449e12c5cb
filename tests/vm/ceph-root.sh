#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ceph-root.sh: print the path of an archive (cpio) with a folder /ceph, the root of a small system
# that can run a Ceph cluster: its daemons, Python with librados, and nothing else. Made of Debian's
# packages when it is not in the cache. Exit status 77: cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/vm/apt.sh
. tests/vm/apt.sh

suite=bookworm
packages=(ceph-mon ceph-osd ceph-mds python3-rados python3-minimal coreutils)
loader=lib64/ld-linux-x86-64.so.2
programs=(usr/bin/ceph-mon usr/bin/ceph-osd usr/bin/ceph-mds usr/bin/monmaptool usr/bin/python3
	usr/bin/env)
folders=(usr/lib/python3.11)

# What a program or library in the whole root needs, as paths below it.
needed_by() {
	chroot "$work/whole" "/$loader" --list "/${1#/}" 2>/dev/null | grep -o '/[^ ]*' || true
}

# Copies a file under the name by which it is asked for. Links lead within the root.
take() {
	local file=${1#/} from target
	[ ! -e "$work/small/ceph/$file" ] || return 0
	from=$work/whole/$file
	while [ -L "$from" ]; do
		target=$(readlink "$from")
		case $target in
		/*) from=$work/whole$target ;;
		*) from=$(dirname "$from")/$target ;;
		esac
	done
	mkdir -p "$work/small/ceph/$(dirname "$file")"
	cp --preserve=mode "$from" "$work/small/ceph/$file"
}

take_with_libraries() {
	local library
	take "$1"
	needed_by "$1" | while read -r library; do
		take "$library"
	done
}

fetch() {
	local package
	apt_begin "$work/apt" "$suite"
	echo "vm: fetching Ceph ($suite) from $apt_mirror" >&2
	apt-get -q -y --download-only install "${packages[@]}" >>"$work/apt/log" 2>&1 ||
		unavailable "cannot download Ceph: $(apt_complaint)"
	mkdir "$work/whole"
	for package in "$work"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$package" |
			tar -x -C "$work/whole" --exclude='./usr/share/doc' --exclude='./usr/share/man' \
				--exclude='./usr/share/locale' --exclude='*/__pycache__'
	done
}

shrink() {
	local program folder file
	mkdir -p "$work/small/ceph"/{dev,proc,sys,tmp,run,etc,var/ceph}
	take "$loader"
	for program in "${programs[@]}"; do
		take_with_libraries "$program"
	done
	for folder in "${folders[@]}"; do
		[ -d "$work/whole/$folder" ] || continue
		mkdir -p "$work/small/ceph/$folder"
		cp -a "$work/whole/$folder/." "$work/small/ceph/$folder"
	done
	while read -r file; do
		take_with_libraries "${file#"$work/whole/"}"
	done < <(find "$work/whole/usr/lib/python3" -name 'rados.*.so')
	echo 'root:x:0:0:root:/root:/bin/sh' >"$work/small/ceph/etc/passwd"
}

cache=$(vm_cache)
if [ ! -s "$cache/ceph.cpio" ]; then
	[ "$(id -u)" = 0 ] || unavailable "only root can look into another root (chroot)"
	work=$(mktemp -d "$cache/ceph.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	fetch
	shrink
	(cd "$work/small" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/ceph.cpio"
	mv "$work/ceph.cpio" "$cache/ceph.cpio"
fi
echo "$cache/ceph.cpio"
