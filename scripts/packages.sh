#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# packages.sh apt|dnf GROUP...: the names of the packages that a group needs, one per line.
# Groups: build (make), test (check.sh), vm (other kernels and a fresh system, also in check.sh).
# This is the one place where packages are listed.
set -euo pipefail

# GROUP  APT  DNF; a "-" where a family has it in another package of the list.
packages_table() {
	cat <<-'TABLE'
		build  bpftool             bpftool
		build  clang               clang
		build  gcc                 gcc
		build  libc6-dev           glibc-devel
		build  libbpf-dev          libbpf-devel
		build  libcap-ng-dev       libcap-ng-devel
		build  libdw-dev           elfutils-devel
		build  libelf-dev          elfutils-libelf-devel
		build  libiberty-dev       binutils-devel
		build  libjansson-dev      jansson-devel
		build  liblzma-dev         xz-devel
		build  libncurses-dev      ncurses-devel
		build  libprotobuf-c-dev   protobuf-c-devel
		build  libsqlite3-dev      sqlite-devel
		build  llvm                llvm
		build  make                make
		build  nodejs              nodejs
		build  npm                 npm
		build  pkg-config          pkgconf-pkg-config
		build  protobuf-c-compiler protobuf-c-compiler
		build  python3             python3
		build  uthash-dev          uthash-devel
		build  zlib1g-dev          zlib-devel
		test   chromium            chromium
		test   clang-format        clang-tools-extra
		test   debuginfod          elfutils-debuginfod
		test   dwz                 dwz
		test   g++                 gcc-c++
		test   git                 git-core
		test   golang-github-google-pprof-dev golang-github-google-pprof-devel
		test   graphviz            graphviz
		test   groff-base          groff-base
		test   libclang-rt-dev     compiler-rt
		test   libcmocka-dev       libcmocka-devel
		test   libdevel-nytprof-perl perl-Devel-NYTProf
		test   libjemalloc2        jemalloc
		test   libtcmalloc-minimal4 gperftools-libs
		test   libasan8            libasan
		test   libubsan1           libubsan
		test   procps              procps-ng
		test   pybind11-dev        pybind11-devel
		test   python3-dev         python3-devel
		test   protobuf-compiler   protobuf-compiler
		test   python3-numpy       python3-numpy
		test   shellcheck          ShellCheck
		test   sqlite3             sqlite
		test   tmux                tmux
		vm     busybox-static      busybox
		vm     cpio                cpio
		vm     debootstrap         debootstrap
		vm     qemu-system-x86     qemu-system-x86-core
		vm     xz-utils            xz
		vm     zstd                zstd
	TABLE
}

packages_list() {
	local family=$1 group
	shift
	for group in "$@"; do
		case $group in
		build | test | vm) ;;
		*)
			echo "packages.sh: there is no group '$group' (build, test, vm)" >&2
			return 2
			;;
		esac
		packages_table | awk -v group="$group" -v family="$family" \
			'$1 == group { name = family == "apt" ? $2 : $3; if (name != "-") print name }'
	done
}

case ${1:-} in
apt | dnf) packages_list "$@" ;;
*)
	echo "Usage: packages.sh apt|dnf GROUP..." >&2
	exit 2
	;;
esac
