/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Python process in a file, with the memory that a walk of its threads reads. */
#ifndef HOST_PYTHON_SAVED_H
#define HOST_PYTHON_SAVED_H

#include "host/python_process.h"

/* Stores lines that take_more will take; NULL: there are none. */
static void (*store_more)(const struct python_process *process, FILE *file);

/* With the memory that process->saved has noted down. */
static bool python_process__store(const struct python_process *process, const char *path)
{
	FILE *file = fopen(path, "we");
	bool good;

	if (!file)
		return false;
	fprintf(file, "python 3.%d\nruntime %llx\ncode_type %llx\n", process->version & 0xff,
		(unsigned long long)process->runtime, (unsigned long long)process->code_type);
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct told_thread *thread = &process->threads[i];

		fprintf(file, "thread %llx\n", (unsigned long long)thread->tcb);
		for (size_t j = 0; j < thread->frame_count; j++)
			fprintf(file, "frame %d %s %s\n", thread->frames[j].line,
				thread->frames[j].name, thread->frames[j].file);
	}
	if (store_more)
		store_more(process, file);
	good = saved_memory__store(&process->saved, file);
	return !fclose(file) && good;
}

/* python_process__end() afterwards, whatever it returns. */
static bool python_process__load(struct python_process *process, const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	const struct python_layout *known;
	uint8_t published[PYTHON_DEBUG_OFFSETS_SIZE];
	bool good = file;
	uint16_t version = 0;
	size_t count = 0;
	char line[512];

	memset(process, 0, sizeof(*process));
	process->saved = saved_memory__of(NULL);
	while (good && !count)
		good = fgets(line, sizeof(line), file) &&
		       (sscanf(line, "memory %zu", &count) == 1 ||
			python_process__take_line(process, line));
	good = good && saved_memory__load(&process->saved, file, count);
	known = python_layout__of(process->version);
	if (good && known)
		process->layout = *known;
	else if (good)
		good = !saved_memory__copy(&process->saved, process->runtime, published,
					   sizeof(published)) &&
		       !python_layout__from_debug_offsets(published, sizeof(published), &version,
							  &process->layout) &&
		       version == process->version;
	return good;
}

#endif
