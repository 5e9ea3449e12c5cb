#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: record a Python program for a few seconds and print its functions as JSON.
# Words of the commands go before the line MARK, only the JSON after it.
set -eu
python3 /spin.py &
spinner=$!
sleep 2
pipescope record -d 10 -o /tmp/guest.rec 2>&1
kill "$spinner"
pipescope report --by function --format json /tmp/guest.rec >/tmp/report.json
echo MARK
cat /tmp/report.json
