#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: give.sh NAME...: prints files of /tmp for take() of test_sources.sh.
for name in "$@"; do
	echo "FILE $name"
	gzip -c "/tmp/$name" | base64
	echo "END $name"
done
