#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# try.sh [FILE]: see pipescope at work. Sets up and builds it, runs two small pipelines, records the
# node for ten seconds, and prints the report. The recording is kept when FILE is given.
set -euo pipefail
cd "$(dirname "$0")/.."

say() {
	echo "try: $*" >&2
}

pipelines=()
work=

# Each pipeline leads a process group of its own: its children go with it.
clean_up() {
	local pid
	for pid in "${pipelines[@]}"; do
		kill -- "-$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	[ -z "$work" ] || rm -rf "$work"
}

start_pipeline() {
	local label=$1 jobs=$2
	TMPDIR=$work setsid python3 examples/pipetask run -b repo -p "pipeline.yaml#$label" -o out \
		-j "$jobs" --seconds 600 >"$work/$label.log" 2>&1 </dev/null &
	pipelines+=($!)
}

check_pipelines() {
	local pid
	for pid in "${pipelines[@]}"; do
		kill -0 "$pid" 2>/dev/null && continue
		say "a pipeline ended at once:"
		cat "$work"/*.log >&2
		exit 1
	done
}

if [ "$(id -u)" != 0 ]; then
	say "recording needs root (BPF sees every process); run it as root"
	exit 1
fi
trap clean_up EXIT
trap 'exit 130' INT TERM
work=$(mktemp -d)
recording=${1:-$work/try.rec}

scripts/setup.sh build
say "building"
make -s -j"$(nproc)" >&2
say "starting two pipelines: examples/pipetask with isr, and with calibrate in two processes"
start_pipeline isr 1
start_pipeline calibrate 2
sleep 1
check_pipelines
say "recording the node for 10 s"
.output/pipescope record -d 10 -o "$recording" >&2
say "reading the recording: pipescope report ${1:-FILE}"
.output/pipescope report "$recording"
