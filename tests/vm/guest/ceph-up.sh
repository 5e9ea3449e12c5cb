#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: a Ceph cluster of one monitor, one storage server in memory and one metadata server,
# whose CephFS can be mounted by ceph-mount.sh.
set -eu
address=127.0.0.1
folder=/var/ceph # below /ceph

while read -r module; do
	insmod "/modules/$module" || [ "$module" = crc32c_generic.ko ]
done </modules/order

for name in dev proc sys; do
	mount --bind /$name /ceph/$name
done
mount -t tmpfs tmpfs /ceph/tmp
mount -t tmpfs tmpfs /ceph/var/ceph
mkdir -p /ceph$folder/mon.a /ceph$folder/osd.0 /ceph$folder/mds.a /ceph$folder/run

cat >/ceph$folder/ceph.conf <<CONF
[global]
fsid = 2f1c0a5e-6f0e-4a53-9d0b-0d7f8c3c6a11
mon host = [v2:$address:3300,v1:$address:6789]
public addr = $address
cluster addr = $address
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
run dir = $folder/run
admin socket = $folder/run/\$name.asok
pid file = $folder/run/\$name.pid
log file =
log to stderr = true
mon cluster log file =
mon data = $folder/mon.a
osd data = $folder/osd.0
mds data = $folder/mds.a
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd erasure code plugins =
mon allow pool size one = true
mon osd min up ratio = 0
osd objectstore = memstore
memstore device bytes = 1G
osd op num shards = 1
osd op num threads per shard = 2
osd heartbeat grace = 120
mon lease = 30
mon osd report timeout = 3600
mds beacon grace = 300
mon election timeout = 1
paxos propose interval = 0.05
debug none = 0/0
CONF

in_ceph() {
	chroot /ceph /usr/bin/env -i PATH=/usr/bin:/bin CEPH_ARGS="-c $folder/ceph.conf" "$@"
}

# One process says all to the monitor: each start of Ceph's own command takes seconds here.
cat >/ceph$folder/say.py <<'SAY'
import json, rados, sys, time

cluster = rados.Rados(conffile=sys.argv[1])
cluster.connect(timeout=60)

def say(**command):
    code, out, error = cluster.mon_command(json.dumps(command), b"", timeout=120)
    if code:
        sys.exit(f"{command}: {code} {error}")
    return out.decode()

def until(done):
    for _ in range(1200):
        if done():
            return
        time.sleep(0.05)
    sys.exit("the cluster does not get on")

if sys.argv[2] == "osd":
    say(prefix="osd new", uuid=sys.argv[3])
    sys.exit()
until(lambda: json.loads(say(prefix="osd stat", format="json"))["num_up_osds"])
for pool in ("meta", "data"):
    say(prefix="osd pool create", pool=pool, pg_num=4, size=1, yes_i_really_mean_it=True)
say(prefix="fs new", fs_name="guest", metadata="meta", data="data")

def active():
    systems = json.loads(say(prefix="mds stat", format="json"))["fsmap"]["filesystems"]
    return any(one["state"] == "up:active" for one in systems[0]["mdsmap"]["info"].values())

until(active)
SAY

osd=8f6ad4a9-8a2e-4f1e-8a39-4b6f9e3d5c22
in_ceph monmaptool --create --clobber --addv a "[v2:$address:3300,v1:$address:6789]" \
	--fsid 2f1c0a5e-6f0e-4a53-9d0b-0d7f8c3c6a11 $folder/monmap >/dev/null
in_ceph ceph-mon -i a --mkfs --monmap $folder/monmap 2>/dev/null
in_ceph ceph-mon -i a 2>/tmp/ceph-mon.log
in_ceph ceph-mds -i a 2>/tmp/ceph-mds.log
in_ceph python3 $folder/say.py $folder/ceph.conf osd $osd
in_ceph ceph-osd -i 0 --mkfs --osd-uuid $osd 2>/tmp/ceph-mkfs.log
in_ceph ceph-osd -i 0 2>/tmp/ceph-osd.log
in_ceph python3 $folder/say.py $folder/ceph.conf rest
