#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest: records what the programs of tests/workloads do with files, one after the other, and
# prints what they printed and the recordings (give.sh).
set -eu
cd /tmp
chmod 755 /tmp
mkdir -m 755 calls order opens data torn mount
# shellcheck disable=SC2094 # the word is no file
pipescope doctor >doctor || true
# Of files in memory the kernel tells only some faults.
options=--no-faults
grep -q "yes *requests of io_uring" doctor || options="$options --no-uring"

# begin OPTION...: a recorder in the background, once it records.
begin() {
	name=$1
	shift
	: >/tmp/recorder # else what the one before has said could be taken for this one's
	pipescope record "$@" --sources cpu,io -o "/tmp/$name.rec" >/tmp/recorder 2>&1 &
	recorder=$!
	until grep -q 'recording to' /tmp/recorder; do
		if ! kill -0 $recorder 2>/dev/null; then
			cat /tmp/recorder
			exit 1
		fi
		sleep 0.2
	done
}

end() {
	kill -INT $recorder
	wait $recorder || cat /tmp/recorder
}

# shellcheck disable=SC2086 # options are words
pipescope record --sources cpu,io -o calls.rec -- /file_calls calls $options >calls.out 2>recorder ||
	cat recorder
pipescope record --sources cpu,io -o order.rec -- /read_order order >order.out 2>recorder ||
	cat recorder

begin opens -a
/open_times opens >opens.out &
workload=$!
until grep -q '"now"' opens.out; do
	kill -0 $workload
	sleep 0.2
done
sleep 1
end

python3 /storage.py inputs data
begin storage -a --rules /storage.rules
for task in isr calibrate; do
	python3 /storage.py datasets data --task $task >$task.out
done
python3 /storage.py torn torn >torn.out
end

mkdir /sys/fs/cgroup/test 2>/dev/null || true
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
echo 64M >/sys/fs/cgroup/test/memory.max
begin oom -a
python3 /storage.py oom torn /sys/fs/cgroup/test >oom.out || true
end

mount -t tmpfs -o size=100M throughput mount
begin throughput -a --rules /storage.rules
python3 /throughput.py mount --task reader 3 >reader.out &
python3 /throughput.py mount --task writer 5 >writer.out
sleep 2
end
sh /give.sh doctor calls.out calls.rec order.out order.rec opens.out opens.rec isr.out calibrate.out \
	torn.out storage.rec oom.out oom.rec reader.out writer.out throughput.rec
