#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: one of its two CPUs, both busy, goes and comes back during a recording. Prints the CPU
# samples of each second behind the line MARK.
set -eu
python3 /spin.py &
first=$!
python3 /spin.py &
second=$!
sleep 2
pipescope record --sources cpu -d 18 -o /tmp/hotplug.rec >/tmp/recorder 2>&1 &
recorder=$!
# Loading takes an emulated CPU seconds.
until grep -q 'recording to' /tmp/recorder; do
	kill -0 $recorder
	sleep 0.1
done
sleep 4
echo 0 >/sys/devices/system/cpu/cpu1/online
sleep 4
echo 1 >/sys/devices/system/cpu/cpu1/online
wait "$recorder"
cat /tmp/recorder
kill "$first" "$second"
pipescope report --by time --metric samples --format csv /tmp/hotplug.rec >/tmp/report.csv
echo MARK
cat /tmp/report.csv
