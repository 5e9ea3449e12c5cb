#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: records ceph.py on a CephFS of its own, which is mounted when the recording runs
# already, and prints what it printed, reports and the recording (give.sh).
set -eu
sh /ceph-up.sh
pipescope doctor >/tmp/doctor || true
pipescope record --stats -o /tmp/recording -- sh /ceph-mount.sh >/tmp/output 2>/tmp/recorder ||
	cat /tmp/recorder /tmp/output
cat /tmp/recorder
pipescope report /tmp/recording --by mount,ceph -n 0 --format json >/tmp/report
pipescope report /tmp/recording --by mount,function,ceph --metric ceph_ops -n 0 --format json >/tmp/places
pipescope report /tmp/recording --by mount,ceph -n 0 >/tmp/text
pipescope report /tmp/recording >>/tmp/text
sh /give.sh output report places text doctor recording
umount /mnt/two /mnt/one
