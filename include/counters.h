/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that can be lost, cut short or refused, each with its own counter; and every way a
 * stack can end. One X-macro list each: the enum, the names in a recording and the words in a
 * report all come from here. */
#ifndef PIPESCOPE_COUNTERS_H
#define PIPESCOPE_COUNTERS_H

/* X(NAME, "name in the recording", "what it means") */
#define PS_COUNTERS(X)                                                                             \
	X(SAMPLES, "samples", "CPU samples taken")                                                 \
	X(SAMPLES_NOT_WANTED, "samples_not_wanted", "CPU samples of processes outside -p")         \
	X(COUNTS_FULL, "lost_counts_full", "samples lost: the map of counts was full")             \
	X(COUNTS_BUSY, "lost_counts_busy",                                                         \
	  "samples lost: they met an update of the map of counts")                                 \
	X(THREAD_STATE, "lost_thread_state", "waits not seen: no memory for a thread's state")     \
	X(WAIT_END_UNSEEN, "wait_ends_unseen",                                                     \
	  "waits whose end the kernel did not tell: computed from CPU time")                       \
	X(IO_SUMMED, "io_summed",                                                                  \
	  "operations counted under their directory: too many files at once")                      \
	X(IO_FULL, "lost_io", "operations not counted by file: the map was full")                  \
	X(FILE_EVENTS_FULL, "late_files", "names of files sent later: the ring buffer was full")   \
	X(PATH_UNREADABLE, "paths_unreadable", "paths that could not be read after their call")    \
	X(EVENTS_FULL, "lost_events_full", "events lost: the ring buffer was full")                \
	X(STACK_EVENTS_FULL, "late_stacks", "stacks sent later: the ring buffer was full")         \
	X(EPOCHS_FULL, "lost_epochs_full",                                                         \
	  "samples without a process: the map of epochs was full")                                 \
	X(EPOCH_ON_DEMAND, "epochs_on_demand",                                                     \
	  "processes first seen by a sample, not at their fork")                                   \
	X(KERNEL_STACK_FAILED, "kernel_stack_failed", "kernel stacks that could not be read")      \
	X(ARGS_UNREADABLE, "args_unreadable", "command lines that could not be read at exec")      \
	X(ENV_UNREADABLE, "env_unreadable", "environments that could not be read whole at exec")   \
	X(ENV_TOO_MANY, "env_too_many", "environments with more variables than are looked at")     \
	X(MMAP_LOST, "lost_mmaps", "mapping events lost by the kernel's buffer")                   \
	X(PYTHON_FULL, "lost_pythons",                                                             \
	  "Python processes not told to the sampler: its map was full")                            \
	X(ROWS_FULL, "lost_unwind_rows",                                                           \
	  "files whose call-frame information found no room in the walker's maps")                 \
	X(RANGES_FULL, "lost_unwind_ranges",                                                       \
	  "processes whose mappings found no room in the walker's maps")                           \
	X(NAME_TOO_LATE, "names_too_late",                                                         \
	  "Python functions without a name: their process had ended")                              \
	X(NAME_UNREADABLE, "names_unreadable",                                                     \
	  "Python functions without a name: no valid code object")                                 \
	X(NO_LINES, "frames_without_lines",                                                        \
	  "native frames whose source lines could not be found in time")                           \
	X(QUANTA_LATE, "late_quanta", "boundaries of quanta told later: the ring buffer was full") \
	X(QUANTUM_UNREAD, "quanta_unread", "quanta whose label could not be read")                 \
	X(FRAME_RULES_FULL, "lost_frame_rules",                                                    \
	  "processes whose quanta are not seen: the map of functions was full")                    \
	X(QUANTA_FULL, "lost_quanta",                                                              \
	  "looks that found a quantum while the map of quanta was full")                           \
	X(QUANTUM_BEGUN_LATE, "quanta_begun_late",                                                 \
	  "quanta that had begun before they were first seen")                                     \
	X(SUBTASK_UNREAD, "subtasks_unread", "sub-tasks on stacks whose names could not be read")  \
	X(BOUNDARY_UNREAD, "boundaries_unread",                                                    \
	  "boundaries that were not looked at: a Python frame was not in memory")                  \
	X(WAIT_DETAILS_FULL, "waits_summed",                                                       \
	  "waits counted only by class: their thread waits for too many remotes or calls")         \
	X(RESOURCES_FULL, "lost_resources",                                                        \
	  "processes whose quanta have no resources: too many at once")                            \
	X(RESOURCES_LATE, "late_resources",                                                        \
	  "resources of a quantum told with the next: the ring buffer was full")                   \
	X(PERF_UNREAD, "counters_unread", "hardware counters that could not be read at a switch")  \
	X(PERF_MISSED, "counters_missed",                                                          \
	  "times on a CPU whose beginning was not seen: hardware counters are scaled there")       \
	X(WRITERS_FULL, "lost_writers",                                                            \
	  "files opened for writing that were not followed: their map was full")                   \
	X(RENAMES_UNFOLLOWED, "renames_unfollowed",                                                \
	  "renames after which files of a folder may keep their old path: too many at once, or "   \
	  "through a symbolic link")                                                               \
	X(WRITTEN_FULL, "lost_written", "sizes of written files lost: the ring buffer was full")   \
	X(PATTERNS_FULL, "lost_patterns",                                                          \
	  "reads whose order is not known: too many files at once")                                \
	X(TORN_FULL, "lost_torn", "torn files not told: the ring buffer was full")                 \
	X(MEM_FULL, "lost_memory", "growth of memory not counted: the map was full")               \
	X(MEM_EVENTS_FULL, "lost_memory_events",                                                   \
	  "mappings of memory not seen: the ring buffer was full")                                 \
	X(MEM_NO_STACK, "mappings_without_stack",                                                  \
	  "mappings of memory without a place: too many at once")                                  \
	X(CEPH_FULL, "lost_ceph", "CephFS requests not counted: a map was full")                   \
	X(CEPH_STACK_BUSY, "ceph_stacks_missed",                                                   \
	  "stacks of CephFS requests not walked: they met another on the same CPU")                \
	X(CEPH_NOT_LOADED, "ceph_not_loaded",                                                      \
	  "CephFS mounts that were not followed: see the recorder's message, or 'doctor'")         \
	X(PYTHON_LATE, "pythons_found_late",                                                       \
	  "Python processes whose interpreter was not known from the start: their first quanta "   \
	  "may be missing")                                                                        \
	X(ALLOC_FULL, "lost_allocations", "calls of allocators not counted: a map was full")       \
	X(ALLOC_BLOCKS_FULL, "lost_blocks",                                                        \
	  "blocks whose release was not looked for: too many at once")                             \
	X(ALLOC_PROCESSES, "alloc_processes_missed",                                               \
	  "processes whose allocators were not counted: too many at once")                         \
	X(ALLOC_STACK_BUSY, "alloc_stacks_missed",                                                 \
	  "stacks of allocations not walked: they met another on the same CPU")                    \
	X(RUNS_MISSED, "lost_runs",                                                                \
	  "events not seen: the kernel was at another one of their kind on the same CPU")          \
	X(OPENS_FULL, "lost_open_times",                                                           \
	  "files of which it is not known how long they were open: too many were")                 \
	X(CLOSES_UNSEEN, "closes_unseen",                                                          \
	  "files that were closed by what nobody tells, so that it is not known when: exec, "      \
	  "io_uring, close_range")                                                                 \
	X(QUANTUM_OVER, "quanta_over",                                                             \
	  "quanta among those without a label that were over before it was read")                  \
	X(STACK_UNKNOWN, "stacks_unknown", "samples whose stack never arrived")                    \
	X(QUEUE_FULL, "lost_queue_full", "rows lost: the disk was slower than the recording")

enum ps_counter {
#define X(name, text, meaning) PS_COUNTER_##name,
	PS_COUNTERS(X)
#undef X
		PS_COUNTER_COUNT
};

/* How the user part of a stack ended. "ok" endings hold all that this version can show. */
#define PS_ENDINGS(X)                                                                              \
	X(KERNEL_THREAD, "kernel_thread", 1, "a kernel thread: no user stack")                     \
	X(EXITING, "exiting", 1, "a process on its way out, whose memory is gone")                 \
	X(EXECUTING, "executing", 1, "inside execve: the memory of the program before is gone")    \
	X(NATIVE, "native", 1, "complete; no Python in this process")                              \
	X(PYTHON, "python", 1, "complete: native and Python frames")                               \
	X(PY_IDLE, "python_no_frames", 1, "a Python thread that runs no Python function")          \
	X(PY_NO_THREAD, "python_foreign_thread", 1, "a thread that never entered Python")          \
	X(PY_STARTING, "python_starting", 1, "the interpreter had not started or had ended")       \
	X(PY_NOT_YET, "python_not_yet", 0,                                                         \
	  "taken before the interpreter was found in the process")                                 \
	X(PY_BAD_THREAD, "python_bad_thread", 0,                                                   \
	  "the thread's Python state does not fit the thread")                                     \
	X(PY_UNREADABLE, "python_unreadable", 0, "a Python frame was not in memory")               \
	X(PY_TOO_DEEP, "python_too_deep", 0, "more Python frames than the walker's limit")         \
	X(PY_UNSUPPORTED, "python_unsupported", 0, "a CPython build whose layout is not known")    \
	X(UNNAMED, "python_unnamed", 0, "complete, but not all Python frames could be named")      \
	X(PY_MISMATCH, "python_mismatch", 0,                                                       \
	  "more interpreter loops than Python frames for them, or fewer: their order is a guess")  \
	X(NATIVE_NOT_YET, "native_not_yet", 0, "taken before the process's mappings were known")   \
	X(UNMAPPED, "unmapped_code", 0, "a program counter in no file that the process maps")      \
	X(NO_ROWS, "no_unwind_rows", 0, "a file whose call-frame information is not known")        \
	X(NO_RULE, "no_unwind_rule", 0, "code that its file's call-frame information leaves out")  \
	X(RULE_UNSUPPORTED, "unsupported_rule", 0,                                                 \
	  "code whose call-frame information the walker cannot express")                           \
	X(STACK_UNREADABLE, "stack_unreadable", 0, "a part of the stack was not in memory")        \
	X(STACK_DAMAGED, "stack_damaged", 0, "a caller's frame that does not lie above")           \
	X(NATIVE_TOO_DEEP, "native_too_deep", 0, "more native frames than the walker's limit")     \
	X(UNKNOWN, "unknown", 0, "the stack never arrived")

enum ps_ending {
#define X(name, text, ok, meaning) PS_END_##name,
	PS_ENDINGS(X)
#undef X
		PS_END_COUNT
};

/* Endings of a native walk that comes farther once rows or mappings are known. */
#define PS_END_MAY_GO_ON(ending)                                                                   \
	((ending) == PS_END_NATIVE_NOT_YET || (ending) == PS_END_UNMAPPED ||                       \
	 (ending) == PS_END_NO_ROWS)

#endif
