#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel.sh [--modules] KERNEL: print the path of Debian's kernel image of that series, or of the
# folder with its CephFS client: modules, and in the file `order` their names as they are to be
# loaded. Fetches what is not in the cache. KERNEL: 5.10, 6.1, 6.12; `stable`, the newest that is
# released; `newest`, the newest that can be had.
# The mirror is the one of this machine's own apt sources, the signature is checked against Debian's
# keyring, and the machine's apt state is not touched.
# PIPESCOPE_VM_CACHE: where kernels stay (default: .output/vm). Exit status 77: cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/vm/apt.sh
. tests/vm/apt.sh

# What the client needs; what a kernel has built in, or not at all, is no module there.
wanted_modules=(crc32c_generic libceph ceph)

usage() {
	echo "Usage: kernel.sh [--modules] KERNEL" >&2
	exit 2
}

suite_of() {
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	stable) echo sid ;;
	newest) echo experimental ;;
	*)
		echo "kernel.sh: no suite is known for kernel '$1' (5.10, 6.1, 6.12, stable, newest)" >&2
		exit 2
		;;
	esac
}

# The package of the suite's newest kernel of a series.
find_package() {
	local series=$1 version='[0-9][^-]*'
	case $series in
	[0-9]*) version="${series/./\\.}[.+-][^-]*" ;;
	esac
	apt-cache search --names-only "^linux-image-${version}(-[0-9.]*)?-amd64\$" |
		cut -d ' ' -f 1 | grep -v -e -rt- -e -cloud- | sort -V | tail -n 1
}

# unpack_module NAME: with what it depends on before it.
unpack_module() {
	local name=$1 file depends one
	file=$(find "$work/root" -name "${name//_/[-_]}.ko*" | head -n 1)
	[ -n "$file" ] || return 0
	! grep -qx "$name.ko" "$work/modules/order" || return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -qdc "$file" ;;
	*) cat "$file" ;;
	esac >"$work/modules/$name.ko"
	depends=$(tr '\0' '\n' <"$work/modules/$name.ko" | sed -n 's/^depends=//p' | head -n 1)
	for one in ${depends//,/ }; do
		unpack_module "${one//-/_}"
	done
	echo "$name.ko" >>"$work/modules/order"
}

fetch() {
	local kernel=$1 suite=$2 package part parts image name
	apt_begin "$work/apt" "$suite"
	echo "vm: fetching kernel $kernel ($suite) from $apt_mirror" >&2
	package=$(find_package "$kernel")
	[ -n "$package" ] || unavailable "$suite has no kernel $kernel"
	# Newer ones come in several packages.
	parts=$(apt-cache depends "$package" |
		sed -n 's/^ *Depends: *\(linux-\(binary\|modules\|base\)-[0-9].*\)/\1/p')
	mkdir -p "$work/root" "$work/modules"
	for part in $package $parts; do
		(cd "$work" && apt-get -q download "$part" >>"$work/apt/log" 2>&1) ||
			unavailable "cannot download $part: $(apt_complaint)"
		dpkg-deb --fsys-tarfile "$work/${part}"_*.deb |
			tar -x -C "$work/root" --exclude='./usr/share' --exclude='*/drivers/*' --exclude='*/sound/*'
	done
	image=$(find "$work/root" -name 'vmlinuz*' -type f | head -n 1)
	[ -n "$image" ] || unavailable "$package holds no kernel image"
	: >"$work/modules/order"
	for name in "${wanted_modules[@]}"; do
		unpack_module "$name"
	done
	# Whole or not at all: another run may be reading the cache.
	mv "$image" "$cache/vmlinuz-$kernel"
	if grep -qx ceph.ko "$work/modules/order"; then
		rm -rf "$cache/modules-$kernel"
		mv "$work/modules" "$cache/modules-$kernel"
	fi
}

wanted=vmlinuz
if [ "${1:-}" = --modules ]; then
	wanted=modules
	shift
fi
[ $# = 1 ] || usage
suite=$(suite_of "$1")
cache=$(vm_cache)
if [ ! -e "$cache/$wanted-$1" ]; then
	# Beside the cache, so that the last step is a rename.
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	fetch "$1" "$suite"
	[ -e "$cache/$wanted-$1" ] || unavailable "Debian's kernel $1 has no CephFS client"
fi
echo "$cache/$wanted-$1"
