// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/metrics.h"

#include <string.h>

static const struct metric metrics[] = {
	{"cpu", "CPU time: exact per process and thread, estimated inside", METRIC_CPU, SOURCE_CPU,
	 false},
	{"samples", "CPU samples as they were counted", METRIC_SAMPLES, SOURCE_CPU, false},
	{"offcpu", "time that threads waited", METRIC_OFFCPU, SOURCE_OFFCPU, false},
	{"waits", "number of waits", METRIC_WAITS, SOURCE_OFFCPU, true},
	{"held", "time that threads of the process waited for a lock, by who let it go: the GIL",
	 METRIC_HELD, SOURCE_OFFCPU, false},
	{"io_time", "time in operations on files, pipes and sockets", METRIC_IO_TIME, SOURCE_IO,
	 false},
	{"read_bytes", "bytes read", METRIC_READ_BYTES, SOURCE_IO, false},
	{"write_bytes", "bytes written", METRIC_WRITE_BYTES, SOURCE_IO, false},
	{"ops", "number of operations, failed ones included", METRIC_OPS, SOURCE_IO, false},
	{"errors", "number of operations that failed", METRIC_ERRORS, SOURCE_IO, true},
	{"waited", "time that threads waited for files and remotes", METRIC_WAITED, SOURCE_IO,
	 true},
	{"ceph_time", "time that requests of CephFS took", METRIC_CEPH_TIME, SOURCE_CEPH, false},
	{"ceph_ops", "number of requests of CephFS", METRIC_CEPH_OPS, SOURCE_CEPH, false},
	{"ceph_read_bytes", "bytes that CephFS read from storage servers", METRIC_CEPH_READ_BYTES,
	 SOURCE_CEPH, false},
	{"ceph_write_bytes", "bytes that CephFS wrote to them", METRIC_CEPH_WRITE_BYTES,
	 SOURCE_CEPH, false},
	{"rss_growth", "bytes of memory that came, by page faults mostly", METRIC_RSS_GROWTH,
	 SOURCE_MEM, false},
	{"faults", "number of page faults", METRIC_FAULTS, SOURCE_MEM, false},
	{"mmap_live", "bytes mapped during the recording and not released", METRIC_MMAP_LIVE,
	 SOURCE_MEM, false},
	{"mmap_peak", "the same when the process, or quantum, had most", METRIC_MMAP_PEAK,
	 SOURCE_MEM, false},
	{"alloc_bytes", "bytes that allocators were asked for, in windows of time",
	 METRIC_ALLOC_BYTES, SOURCE_ALLOC, false},
	{"alloc_count", "number of allocations, in windows of time", METRIC_ALLOC_COUNT,
	 SOURCE_ALLOC, false},
	{"alloc_kept", "bytes allocated in a window of time and not freed at its end",
	 METRIC_ALLOC_KEPT, SOURCE_ALLOC, false},
};

const struct metric *metric__find(const char *name)
{
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		if (!strcmp(metrics[i].name, name))
			return &metrics[i];
	return NULL;
}

const struct metric *metric__at(size_t position)
{
	return position < sizeof(metrics) / sizeof(metrics[0]) ? &metrics[position] : NULL;
}

enum metric_unit metric__unit(const struct metric *metric)
{
	switch (metric->value) {
	case METRIC_CPU:
	case METRIC_OFFCPU:
	case METRIC_HELD:
	case METRIC_IO_TIME:
	case METRIC_WAITED:
	case METRIC_CEPH_TIME:
		return UNIT_NANOSECONDS;
	case METRIC_READ_BYTES:
	case METRIC_WRITE_BYTES:
	case METRIC_CEPH_READ_BYTES:
	case METRIC_CEPH_WRITE_BYTES:
	case METRIC_RSS_GROWTH:
	case METRIC_MMAP_LIVE:
	case METRIC_MMAP_PEAK:
	case METRIC_ALLOC_BYTES:
	case METRIC_ALLOC_KEPT:
		return UNIT_BYTES;
	default:
		return UNIT_COUNT;
	}
}
