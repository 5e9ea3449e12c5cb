# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by what fetches packages of other Debian suites.

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

unavailable() {
	echo "SKIP: $*" >&2
	exit 77
}

# The folder of what was fetched, made when it is not there.
vm_cache() {
	local cache=${PIPESCOPE_VM_CACHE:-.output/vm}
	mkdir -p "$cache"
	(cd "$cache" && pwd)
}

apt_complaint() {
	grep -m 1 '^[WE]: ' "$apt_root/log" || true
}

# apt_begin FOLDER SUITE: an apt of its own below FOLDER, which knows one suite and believes that
# nothing is installed. Sets apt_mirror.
apt_begin() {
	local suite=$2
	apt_root=$1
	[ -r "$apt_keyring" ] ||
		unavailable "$apt_keyring is missing (package debian-archive-keyring)"
	apt_mirror=$(scripts/debian-mirror.sh 2>&1) || unavailable "$apt_mirror"
	mkdir -p "$apt_root/state/lists/partial" "$apt_root/cache/archives/partial"
	: >"$apt_root/status"
	echo "deb [signed-by=$apt_keyring] $apt_mirror $suite main" >"$apt_root/sources.list"
	cat >"$apt_root/apt.conf" <<-CONF
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::State "$apt_root/state";
		Dir::State::status "$apt_root/status";
		Dir::Cache "$apt_root/cache";
		Dir::Etc::sourcelist "$apt_root/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
	CONF
	export APT_CONFIG=$apt_root/apt.conf
	# With lists that it could not fetch, apt-get update only warns.
	if ! apt-get -q update >"$apt_root/log" 2>&1 || grep -q '^[WE]: ' "$apt_root/log"; then
		unavailable "cannot read $suite from $apt_mirror: $(apt_complaint)"
	fi
}
