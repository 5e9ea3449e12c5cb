#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Quanta of a worker that has nothing to do with LSST: a rule in a file is all it takes. With --full also
# 64 processes that run 2,048 quanta of 50 ms: at most 0.5 % of them may be missing or late, and are counted.
. "$(dirname "$0")/lib.sh"

need_recorder
"$PIPESCOPE" rules check "$tests/workloads/worker.rules" >/dev/null || fail "rules check"
start_recorder -a --rules "$tests/workloads/worker.rules" -o "$work/worker.rec" ||
	die "the recorder did not start"
python3 "$tests/workloads/worker.py" 12 0.03 >"$work/worker.out" || fail "worker.py failed"
if [ "${1:-}" = --full ]; then
	for number in $(seq 64); do
		python3 "$tests/workloads/worker.py" 32 0 >"$work/many.$number" &
		started+=($!)
	done
	for pid in "${started[@]}"; do
		wait "$pid" || fail "a worker failed"
	done
	started=()
fi
stop_recorder INT || fail "the recorder ended with status $?"
python3 -B "$here/check_quanta.py" "$work/worker.rec" "$work/worker.out" || fail "quanta of a worker"
if [ "${1:-}" = --full ]; then
	python3 -B "$here/check_quanta.py" --lost 0.005 "$work/worker.rec" "$work"/many.* ||
		fail "quanta of many workers"
fi
"$PIPESCOPE" report --by dataid.shard -f csv "$work/worker.rec" >"$work/shards.csv" || fail "report --by dataid.shard"
grep -q '^6,' "$work/shards.csv" || fail "no shard 6 in report --by dataid.shard"
finish
