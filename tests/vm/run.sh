#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [-c] [-t SECONDS] [-m MIB] [-f FILE[:GUEST-PATH]]... KERNEL -- COMMAND [ARGUMENT...]
# Boot a Debian kernel (5.10, 6.1, 6.12, stable, newest: see kernel.sh) under QEMU without network, run COMMAND in it as root, and
# give back its output (stdout and stderr together) and its exit status.
#
# The guest is an initramfs: busybox, this machine's /usr/bin/python3 with the modules that Debian
# calls minimal, and .output/pipescope when it is built, each with its shared libraries. No disk, no
# module and no file system of the host take part, so a kernel needs nothing but its image.
#   -f FILE     a further file, below / by its name or as GUEST-PATH; libraries follow by themselves
#   -c          also what /ceph-up.sh needs for a Ceph cluster: modules in /modules, daemons in /ceph
#   -t SECONDS  until the guest is stopped (default 300)    -m MIB  its memory (default 1024)
# Exit status: COMMAND's; 77 cannot run here (reason on stderr), 124 time is over, 125 guest died.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

unavailable() {
	echo "SKIP: $*" >&2
	exit 77
}

usage() {
	sed -n 's/^# \(run.sh .*\)/Usage: \1/p' "$0" >&2
	exit 2
}

# Copies a file into the root, with the libraries and the loader that it asks for.
add_file() {
	local file=$1 target=$root/${2#/} library
	mkdir -p "${target%/*}"
	cp -L --preserve=mode,timestamps "$file" "$target"
	# ldd fails on what is no dynamic executable, and then there is nothing to add.
	ldd "$file" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root${library%/*}"
		[ -e "$root$library" ] || cp -L --preserve=mode "$library" "$root$library"
	done || true
}

# The distribution's own interpreter; one found by PATH may live in somebody's home.
add_python() {
	local python file
	python=$(readlink -f /usr/bin/python3) || return 0
	[ -x "$python" ] || return 0
	add_file "$python" "$python"
	ln -s "$python" "$root/usr/bin/python3"
	{ dpkg-query -L "lib${python##*/}-minimal" 2>/dev/null || true; } | while read -r file; do
		if [ -f "$file" ] && [[ $file == /usr/lib/python* ]]; then
			mkdir -p "$root${file%/*}"
			cp -p "$file" "$root$file"
		fi
	done
}

build_root() {
	local file
	mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,usr/bin}
	cp "$busybox" "$root/bin/busybox"
	cp "$here/guest/init" "$root/init"
	chmod +x "$root/init"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	add_python
	[ ! -x "$top/.output/pipescope" ] || add_file "$top/.output/pipescope" /usr/bin/pipescope
	if [ -n "$ceph" ]; then
		cp -r "$modules" "$root/modules"
		cp "$here/guest/ceph-up.sh" "$root/ceph-up.sh"
	fi
	for file in "${files[@]}"; do
		[ -r "${file%%:*}" ] || unavailable "there is no file ${file%%:*}"
		case $file in
		*:*) add_file "${file%%:*}" "${file#*:}" ;;
		*) add_file "$file" "/${file##*/}" ;;
		esac
	done
	printf '%q ' "$@" >"$root/command"
	# Not compressed: reading it in costs an emulated CPU nothing, unpacking it would.
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/initrd"
	# The kernel takes one archive behind the other.
	[ -z "$ceph" ] || cat "$ceph" >>"$work/initrd"
}

boot() {
	local image=$1
	timeout -k 5 "$seconds" qemu-system-x86_64 -M pc -accel tcg,thread=multi -cpu max \
		-m "$memory" -smp 2 -nodefaults -no-user-config -nic none -display none -no-reboot \
		-kernel "$image" -initrd "$work/initrd" \
		-append "console=ttyS0 panic=-1 mitigations=off nowatchdog random.trust_cpu=on" \
		-serial "file:$work/console" -serial "file:$work/output" -serial "file:$work/status" \
		</dev/null >"$work/qemu" 2>&1
}

seconds=300
memory=1024
files=()
ceph=
while getopts ct:m:f: option; do
	case $option in
	c) ceph=wanted ;;
	t) seconds=$OPTARG ;;
	m) memory=$OPTARG ;;
	f) files+=("$OPTARG") ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ $# -lt 3 ] || [ "$2" != -- ]; then
	usage
fi
kernel=$1
shift 2

[ "$(uname -m)" = x86_64 ] || unavailable "the guests are x86-64, this machine is $(uname -m)"
for tool in qemu-system-x86_64 busybox cpio timeout; do
	command -v "$tool" >/dev/null || unavailable "$tool is missing (scripts/setup.sh vm)"
done
busybox=$(command -v busybox)
if ldd "$busybox" >/dev/null 2>&1; then
	unavailable "$busybox is not the static one (package busybox-static)"
fi
image=$("$here/kernel.sh" "$kernel")
if [ -n "$ceph" ]; then
	modules=$("$here/kernel.sh" --modules "$kernel")
	ceph=$("$here/ceph-root.sh")
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
build_root "$@"

status=0
boot "$image" || status=$?
[ ! -s "$work/output" ] || cat "$work/output"
if [ -s "$work/status" ]; then
	exit "$(cat "$work/status")"
fi
# A kernel changes its own code under a breakpoint. The emulator may run into it when the kernel has taken it
# away and no longer knows it: also before anything of ours runs.
if grep -q 'int3: 0000' "$work/console"; then
	unavailable "the emulator met a breakpoint that the guest's kernel had taken away"
fi
{
	tail -n 30 "$work/console" "$work/qemu" 2>/dev/null || true
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		echo "vm: stopped after $seconds s"
		exit 124
	fi
	echo "vm: the guest ended without an answer (qemu's status $status)"
	exit 125
} >&2
