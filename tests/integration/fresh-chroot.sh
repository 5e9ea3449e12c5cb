#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fresh-chroot.sh [FOLDER]: install a minimal Debian 12 below a temporary folder (or FOLDER), copy
# this checkout into it, and run what a newcomer runs: setup.sh twice, check.sh, try.sh. Fails when
# one of them does, or when the second setup.sh takes longer than a second.
# Exit status 77: cannot be done here, the last line says why. Needs root, 4 GB of disk, ~15 minutes.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)

skip() {
	echo "SKIP: $*"
	exit 77
}

die() {
	echo "FAIL: $*"
	exit 1
}

copy_checkout() {
	mkdir -p "$root/src"
	if git -C "$top" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -C "$top" ls-files -z --cached --others --exclude-standard
	else
		(cd "$top" && find . -path ./.output -prune -o -type f -print0)
	fi | tar -C "$top" -c --null --files-from=- --ignore-failed-read | tar -C "$root/src" -x
}

# What a container or a node has, and how this machine reaches the network: its name resolution,
# proxies and the certificates that npm is to trust here.
prepare_root() {
	cp -L /etc/resolv.conf "$root/etc/resolv.conf"
	[ -z "${NODE_EXTRA_CA_CERTS:-}" ] || cp -L "$NODE_EXTRA_CA_CERTS" "$root/trusted.crt"
	apt-config dump | grep -iE '^Acquire::(http|https)::Proxy' >"$root/etc/apt/apt.conf.d/90proxy" || true
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
	mount -t bpf bpf "$root/sys/fs/bpf"
	mount -t tracefs tracefs "$root/sys/kernel/tracing"
	mount -t devpts devpts "$root/dev/pts"
	mount -t tmpfs tmpfs "$root/dev/shm"
	if [ -n "${PIPESCOPE_VM_CACHE:-}" ]; then
		mkdir -p "$PIPESCOPE_VM_CACHE" "$root/vm-cache"
		mount --bind "$PIPESCOPE_VM_CACHE" "$root/vm-cache"
	fi
}

inside() {
	chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
		PIPESCOPE_VM_CACHE="${PIPESCOPE_VM_CACHE:+/vm-cache}" \
		${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=/trusted.crt} \
		bash -c "cd /src && $1" </dev/null
}

# Counts; the later steps go on.
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

timed_setup() {
	local began=${EPOCHREALTIME/./} took
	inside scripts/setup.sh || fail "the second setup.sh failed"
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	echo "the second setup.sh took $took ms"
	[ "$took" -lt 1000 ] || fail "the second setup.sh took $took ms"
}

# Runs in a mount namespace of its own: every mount goes with it, however it ends.
run_steps() {
	prepare_root
	copy_checkout
	inside scripts/setup.sh >"$root/setup.log" 2>&1 || {
		tail -n 30 "$root/setup.log"
		die "setup.sh failed"
	}
	timed_setup
	inside scripts/check.sh || fail "check.sh failed"
	inside scripts/try.sh || fail "try.sh failed"
	[ "$failures" = 0 ] || die "$failures steps failed in a fresh system"
	echo "a fresh system set up, passed check.sh, and ran try.sh"
}

if [ "${1:-}" = --inside ]; then
	root=$2
	failures=0
	run_steps
	exit 0
fi

[ "$(id -u)" = 0 ] || skip "needs root"
command -v debootstrap >/dev/null || skip "debootstrap is missing (scripts/setup.sh vm)"
mirror=$("$top/scripts/debian-mirror.sh" 2>&1) || skip "$mirror"
unshare --mount true 2>/dev/null || skip "no mount namespaces here"
folder=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/pipescope-fresh.XXXXXX")
trap 'rm -rf --one-file-system "$folder"' EXIT
debootstrap --variant=minbase bookworm "$folder/root" "$mirror" >"$folder/debootstrap.log" 2>&1 || {
	tail -n 5 "$folder/debootstrap.log"
	skip "debootstrap from $mirror failed (see above)"
}
unshare --mount --propagation private bash "$0" --inside "$folder/root"
