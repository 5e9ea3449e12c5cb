// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind base
// Input: an ELF file; the same bytes are also taken as the start of a _PyRuntime.
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "python/binary.h"
#include "python/eval_ranges.h"

static void check(const struct python_layout *layout)
{
	const struct ps_py_offsets *walker = &layout->walker;

	if (walker->frame_size > 128 || walker->frame_code + 8 > walker->frame_size ||
	    walker->frame_previous + 8 > walker->frame_size ||
	    (walker->frame_owner != PS_PY_NO_FIELD && walker->frame_owner >= walker->frame_size))
		abort();
}

static void check_ranges(int fd)
{
	struct eval_range ranges[EVAL_RANGES_MOST];
	size_t count = 0;

	if (eval_ranges__find(fd, ranges, EVAL_RANGES_MOST, &count))
		return;
	if (!count || count > EVAL_RANGES_MOST)
		abort();
	for (size_t i = 0; i < count; i++)
		if (ranges[i].start >= ranges[i].end || (i && ranges[i].start < ranges[i - 1].end))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct python_layout layout;
	struct python_binary binary;
	uint16_t version;
	int fd, err;

	if (!python_layout__from_debug_offsets(data, size, &version, &layout))
		check(&layout);
	fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	err = python_binary__probe(fd, &binary);
	if (!err)
		check(&binary.layout);
	else if (err != -ENOENT && err != -EBADMSG && err != -EOPNOTSUPP && err != -ENOMEM)
		abort();
	check_ranges(fd);
	close(fd);
	return 0;
}
