#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel.sh KERNEL: print the path of Debian's kernel image of that series, fetching it when it is
# not in the cache. The mirror is the one of this machine's own apt sources, the signature is
# checked against Debian's keyring, and the machine's apt state is not touched.
# PIPESCOPE_VM_CACHE: where kernels stay (default: .output/vm). Exit status 77: cannot be had here.
set -euo pipefail
cd "$(dirname "$0")/../.."

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${PIPESCOPE_VM_CACHE:-.output/vm}

unavailable() {
	echo "SKIP: $*" >&2
	exit 77
}

suite_of() {
	case $1 in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	*)
		echo "kernel.sh: no suite is known for kernel '$1' (5.10, 6.1, 6.12)" >&2
		exit 2
		;;
	esac
}

# An apt of its own below $1, for one suite.
configure_apt() {
	local root=$1 mirror=$2 suite=$3
	mkdir -p "$root/state/lists/partial" "$root/cache/archives/partial"
	: >"$root/status"
	echo "deb [signed-by=$keyring] $mirror $suite main" >"$root/sources.list"
	cat >"$root/apt.conf" <<-CONF
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::State "$root/state";
		Dir::State::status "$root/status";
		Dir::Cache "$root/cache";
		Dir::Etc::sourcelist "$root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
	CONF
	export APT_CONFIG=$root/apt.conf
}

fetch() {
	local kernel=$1 suite=$2 mirror package
	[ -r "$keyring" ] || unavailable "$keyring is missing (package debian-archive-keyring)"
	mirror=$(scripts/debian-mirror.sh 2>&1) || unavailable "$mirror"
	configure_apt "$work" "$mirror" "$suite"
	echo "vm: fetching kernel $kernel ($suite) from $mirror" >&2
	# With lists that it could not fetch, apt-get update only warns.
	if ! apt-get -q update >"$work/log" 2>&1 || grep -q '^[WE]: ' "$work/log"; then
		unavailable "cannot read $suite from $mirror: $(grep -m 1 '^[WE]: ' "$work/log" || true)"
	fi
	package=$(apt-cache depends linux-image-amd64 |
		sed -n "s/^ *Depends: *\(linux-image-${kernel/./\\.}[.+].*\)/\1/p" | head -n 1)
	[ -n "$package" ] || unavailable "$suite has no kernel $kernel"
	(cd "$work" && apt-get -q download "$package" >>"$work/log" 2>&1) ||
		unavailable "cannot download $package: $(grep -m 1 '^[WE]: ' "$work/log" || true)"
	dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -x -C "$work" --wildcards './boot/vmlinuz-*'
	# Whole or not at all: another run may be reading the cache.
	mv "$work"/boot/vmlinuz-* "$cache/vmlinuz-$kernel"
}

[ $# = 1 ] || {
	echo "Usage: kernel.sh KERNEL" >&2
	exit 2
}
suite=$(suite_of "$1")
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
if [ ! -s "$cache/vmlinuz-$1" ]; then
	# Beside the cache, so that the last step is a rename.
	work=$(mktemp -d "$cache/fetch.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	fetch "$1" "$suite"
fi
echo "$cache/vmlinuz-$1"
