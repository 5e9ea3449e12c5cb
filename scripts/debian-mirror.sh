#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# debian-mirror.sh: print the address of the Debian archive that this machine's own apt reads: the
# one of the main suites, not the security one and not somebody else's. Fails when there is none.
set -euo pipefail

if ! command -v apt-get >/dev/null; then
	echo "there is no apt-get here to name a Debian archive" >&2
	exit 1
fi
# shellcheck disable=SC2016 # apt expands them
mirror=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
	awk '$1 == "Debian" && $2 !~ /-/ && !seen++ { print $3 }')
if [ -z "$mirror" ]; then
	echo "this machine's apt sources name no Debian archive" >&2
	exit 1
fi
echo "$mirror"
