#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What it adds to a read to tell sequential from random reads and to know what is read again, in
# nanoseconds: against the same program built from a copy of these sources without the one call that does
# so. --smoke: short, to see that it works. ROUNDS may be set.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/variants.bash"

choose_size "$@"
need_recorder
compile calls
head -c 65536 /dev/urandom >"$work/data"
copy=$work/sources
mkdir "$copy"
(cd "$tests/.." && tar -c --exclude=./.output --exclude=./.git .) | tar -x -C "$copy" || die "no copy"
sed -i 's/^\tif (op == PS_IO_READ && result > 0)$/\tif (0)/' "$copy/bpf/io.bpf.c"
! cmp -s "$copy/bpf/io.bpf.c" "$tests/../bpf/io.bpf.c" || die "the call is not where it was"
make -s -C "$copy" -j2 .output/pipescope >"$work/make.log" 2>&1 ||
	die "it does not build without: $(tail -n 3 "$work/make.log")"

start_variant() {
	PIPESCOPE=$with
	[ "$1" = with ] || PIPESCOPE=$copy/.output/pipescope
	start_recorder -a -F 99 --sources cpu,io -o "$work/overhead.rec" ||
		die "the recorder did not start"
}
with=$PIPESCOPE
# shellcheck disable=SC2034 # of variants.bash
commands=read repeats=3
run_read() { "$work/calls" read $((size * 100000)) 0 "$work/data"; }

measure "$rounds" with without
PYTHONPATH=$here/../overhead python3 -B - "$work" $limits <<'END'
import sys
from variants import Measured

measured = Measured(sys.argv[1], sys.argv[2] == "1")
measured.header()
measured.plain("read of 64 bytes with cpu,io, ns", "read", "with")
measured.plain("  without the order of reads", "read", "without")
measured.more("  the order of reads adds", "read", "with", "without", 60)
sys.exit(measured.failed)
END
