# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# Measures the same commands under several variants of recording, in turn; sourced after lib.sh.
# A variant is "none", "floor" (empty programs at both ends of all system calls), or a list of
# sources. The results lie in $work/COMMAND.VARIANT, one line per round.

# choose_size [--smoke]: sets rounds, size of the work, and whether limits are judged.
choose_size() {
	rounds=${ROUNDS:-9} size=10 limits=1
	if [ "${1:-}" = --smoke ]; then
		# shellcheck disable=SC2034 # of the scripts
		rounds=1 size=1 limits=0
	fi
}

make_floor() {
	local clang=${CLANG:-clang} config=${PKG_CONFIG:-pkg-config}
	local -a flags

	command -v "$clang" >/dev/null || skip "needs clang"
	"$config" --exists libbpf || skip "needs libbpf"
	read -r -a flags < <("$config" --cflags --libs libbpf | tr '\n' ' ')
	"$clang" -O2 -g -target bpf -idirafter /usr/include \
		-idirafter "/usr/include/$("${CC:-cc}" -print-multiarch)" \
		-c "$tests/overhead/floor.bpf.c" -o "$work/floor.o" || die "floor.bpf.c does not compile"
	"${CC:-cc}" -std=gnu11 -O2 -o "$work/floor" "$tests/overhead/floor.c" "${flags[@]}" ||
		die "floor.c does not compile"
	mkfifo "$work/floor.go"
}

start_variant() {
	case $1 in
	none) ;;
	floor)
		"$work/floor" "$work/floor.o" <"$work/floor.go" >"$work/floor.out" &
		floor=$!
		started+=("$floor")
		exec {floor_go}>"$work/floor.go"
		wait_for 10 grep -q attached "$work/floor.out" ||
			die "the empty programs cannot be attached"
		;;
	*) start_recorder -a -F 99 --sources "$1" -o "$work/overhead.rec" ||
		die "the recorder did not start" ;;
	esac
}

stop_variant() {
	case $1 in
	none) ;;
	floor)
		exec {floor_go}>&-
		wait "$floor" || die "the empty programs failed"
		;;
	*)
		stop_recorder INT || die "the recorder failed: $(cat "$work/recorder.err")"
		rm -f "$work"/overhead.rec*
		;;
	esac
}

# measure ROUNDS VARIANT...: runs each function run_NAME of $commands, which prints one number. Where
# $repeats is set, a round is the mean of so many short ones in turn: what drifts within seconds then
# does so for all.
measure() {
	local rounds=$1 round repeat variant command value
	local -a order
	local -A sums

	shift
	# The kernel then reads the clock twice for each program that runs.
	[ "$(cat /proc/sys/kernel/bpf_stats_enabled 2>/dev/null)" != 1 ] ||
		echo "WARNING: kernel.bpf_stats_enabled is 1: programs cost some 40 ns more"
	for ((round = 0; round < rounds; round++)); do
		sums=()
		for ((repeat = 0; repeat < ${repeats:-1}; repeat++)); do
			order=("$@")
			# The one variant first, then the other: what drifts does so for all.
			[ $(((round + repeat) % 2)) = 0 ] || mapfile -t order < <(printf '%s\n' "$@" | tac)
			for variant in "${order[@]}"; do
				start_variant "$variant"
				for command in $commands; do
					value=$("run_$command") || die "$command failed"
					sums[$command.$variant]=$(awk -v sum="${sums[$command.$variant]:-0}" \
						-v value="$value" -v of="${repeats:-1}" \
						'BEGIN { printf "%.3f\n", sum + value / of }')
				done
				stop_variant "$variant"
			done
		done
		for command in "${!sums[@]}"; do
			echo "${sums[$command]}" >>"$work/$command"
		done
		echo "  round $((round + 1)) of $rounds done" >&2
	done
}
