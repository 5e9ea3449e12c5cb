#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: waits.sh SET: records waits.py, and prints what it printed, the report and the
# recording (give.sh).
set -eu
mkfifo /tmp/go
python3 /waits.py --set "$1" --seconds 8 --folder /tmp </tmp/go >/tmp/output &
workload=$!
exec 3>/tmp/go
until grep -q ready /tmp/output; do sleep 0.2; done
pipescope record -p $workload --sources cpu,offcpu -o /tmp/recording >/tmp/recorder 2>&1 &
recorder=$!
until grep -q 'recording to' /tmp/recorder; do
	kill -0 $recorder || cat /tmp/recorder
	sleep 0.2
done
echo >&3
until grep -q '}}' /tmp/output; do sleep 0.2; done
kill -INT $recorder
wait $recorder || cat /tmp/recorder
exec 3>&-
wait $workload
pipescope report /tmp/recording --by function,wait --metric offcpu -n 0 --format json >/tmp/report
sh /give.sh output report recording
