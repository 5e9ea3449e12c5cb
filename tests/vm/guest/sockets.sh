#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: sockets.sh: records sockets.py, and prints what it printed, the report and the recording
# (give.sh).
set -eu
ifconfig lo 127.0.0.1 up
mkfifo /tmp/go
python3 /sockets.py --seconds 8 --database-port 5432 </tmp/go >/tmp/output &
workload=$!
exec 3>/tmp/go
until grep -q ready /tmp/output; do sleep 0.2; done
pipescope record -a --sources cpu,offcpu,io -o /tmp/recording >/tmp/recorder 2>&1 &
recorder=$!
until grep -q 'recording to' /tmp/recorder; do
	kill -0 $recorder || cat /tmp/recorder
	sleep 0.2
done
echo >&3
until grep -q remotes /tmp/output; do sleep 0.2; done
kill -INT $recorder
wait $recorder || cat /tmp/recorder
exec 3>&-
wait $workload
pipescope report /tmp/recording --by remote -n 0 --format json >/tmp/report
sh /give.sh output report recording
