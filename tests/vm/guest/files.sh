#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: records the program files from its start, and prints what it printed and the
# recording (give.sh).
set -eu
mkdir -m 755 /tmp/folder
chmod 755 /tmp
pipescope record --sources cpu,io -o /tmp/recording -- /files /tmp/folder --hot 20000 >/tmp/output 2>/tmp/recorder ||
	cat /tmp/recorder
sh /give.sh output recording
