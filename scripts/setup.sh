#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# setup.sh [build] [test] [vm]: install what building, testing and booting other kernels need, all
# of it without arguments; for building also what the HTML report is made of, from npm into
# web/node_modules. Asks nothing, needs no network and less than a second when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() {
	echo "setup: $*" >&2
}

fail() {
	say "$*"
	exit 1
}

find_family() {
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
		echo apt
	elif command -v dnf >/dev/null && command -v rpm >/dev/null; then
		echo dnf
	else
		fail "neither apt-get nor dnf is here; scripts/packages.sh lists what to install"
	fi
}

list_missing() {
	local family=$1 name
	shift
	if [ "$family" = apt ]; then
		# dpkg-query names what it does not know only on stderr: compare instead.
		comm -23 <(printf '%s\n' "$@" | sort -u) \
			<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
				sed -n 's/^installed //p' | sort -u)
	else
		for name in "$@"; do
			rpm -q --quiet --whatprovides "$name" || echo "$name"
		done
	fi
}

install_apt() {
	export DEBIAN_FRONTEND=noninteractive
	say "reading the package lists"
	# One broken foreign source must not stop what the other sources can give.
	apt-get -q update >&2 || say "apt-get update failed; trying with the lists that are here"
	say "installing"
	apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 install "$@" >&2 ||
		fail "apt-get could not install them (see above)"
}

install_dnf() {
	say "installing"
	dnf -q -y --setopt=install_weak_deps=False install "$@" >&2 ||
		fail "dnf could not install them (see above); RHEL has some only in CRB and EPEL"
}

# Node.js is often not the distribution's, and then npm is no package of its own.
without_node() {
	if command -v node >/dev/null && command -v npm >/dev/null; then
		grep -vxE 'nodejs|npm'
	else
		cat
	fi
}

install_packages() {
	local family names missing
	family=$(find_family)
	names=$(scripts/packages.sh "$family" "$@" | without_node)
	# shellcheck disable=SC2086 # package names are words
	missing=$(list_missing "$family" $names)
	if [ -z "$missing" ]; then
		say "nothing is missing for: $*"
		return
	fi
	missing=${missing//$'\n'/ }
	say "missing for $*: $missing"
	[ "$(id -u)" = 0 ] || fail "run this as root to install them: scripts/setup.sh $*"
	# shellcheck disable=SC2086
	"install_$family" $missing
	# shellcheck disable=SC2086
	missing=$(list_missing "$family" $names)
	[ -z "$missing" ] || fail "still missing after the installation: ${missing//$'\n'/ }"
	say "done"
}

# What web/package-lock.json lists. Without it all but the HTML report can be built.
install_web() {
	local installed=web/node_modules/.package-lock.json
	if [ -e "$installed" ] && [ ! web/package-lock.json -nt "$installed" ]; then
		return
	fi
	say "getting what the HTML report is made of from npm"
	# npm's own patience, over a minute, would be asked of everybody who has no network.
	if (cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
		--fetch-retries=1 --fetch-retry-mintimeout=500 >&2); then
		touch "$installed"
	else
		say "npm could not get it (see above): pipescope will be built without the HTML report"
	fi
}

main() {
	[ $# -gt 0 ] || set -- build test vm
	install_packages "$@"
	case " $* " in
	*" build "*) install_web ;;
	esac
}

main "$@"
