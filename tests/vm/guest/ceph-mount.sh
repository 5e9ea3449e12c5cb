#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: mounts CephFS on /mnt/one and, as another client, on /mnt/two; waits until the recorder,
# which runs already, follows it; and becomes the workload.
set -eu
mkdir -p /mnt/one /mnt/two
mount -t ceph 127.0.0.1:6789:/ /mnt/one -o name=admin
mount -t ceph 127.0.0.1:6789:/ /mnt/two -o name=admin,noshare
tries=0
until grep -q ceph_osdc_start_request /sys/kernel/tracing/enabled_functions; do
	tries=$((tries + 1))
	if [ $tries = 600 ]; then
		echo "nobody follows the mounts" >&2
		exit 1
	fi
	sleep 0.1
done
# What is attached next to it.
sleep 1
exec python3 /ceph.py /mnt/one /mnt/two
