// SPDX-License-Identifier: GPL-2.0-or-later
/* A function for each kind of row. */
#include "store/writer_memory.h"

#include <string.h>

#include "store/forgetting.h"
#include "store/writer_private.h"

int recording_writer__meta(struct recording_writer *writer, const char *key, const char *value)
{
	struct row_cell cells[] = {TEXT(key), TEXT(value)};

	return recording_writer__put(writer, ROW_META, cells);
}

int recording_writer__slice(struct recording_writer *writer, int64_t id, int64_t start_ns,
			    int64_t end_ns)
{
	struct row_cell cells[] = {NUMBER(id), NUMBER(start_ns), NUMBER(end_ns)};

	return recording_writer__put(writer, ROW_SLICE, cells);
}

int recording_writer__process(struct recording_writer *writer, const struct process_row *row)
{
	struct row_cell cells[] = {
		NUMBER(row->id),	  NUMBER(row->parent),	      NUMBER(row->pid),
		NUMBER(row->start_ns),	  NUMBER(row->end_ns),	      NUMBER(row->exit_code),
		NUMBER(row->exit_signal), NUMBER(row->cpu_ns),	      NUMBER(row->user_ns),
		NUMBER(row->system_ns),	  NUMBER(row->max_rss_bytes), TEXT(row->python)};

	return recording_writer__put(writer, ROW_PROCESS, cells);
}

int recording_writer__image(struct recording_writer *writer, const struct image_row *row)
{
	struct row_cell cells[] = {NUMBER(row->id),
				   NUMBER(row->process),
				   NUMBER(row->start_ns),
				   TEXT(row->comm),
				   {.text = row->arguments, .size = row->arguments_size},
				   TEXT(row->cgroup)};

	return recording_writer__put(writer, ROW_IMAGE, cells);
}

int recording_writer__environment(struct recording_writer *writer, int64_t image, const char *name,
				  const char *value)
{
	struct row_cell cells[] = {NUMBER(image), TEXT(name), TEXT(value)};

	return recording_writer__put(writer, ROW_ENVIRONMENT, cells);
}

int recording_writer__epoch(struct recording_writer *writer, const struct epoch_row *row)
{
	struct row_cell cells[] = {NUMBER(row->id),	  NUMBER(row->process), NUMBER(row->image),
				   NUMBER(row->start_ns), NUMBER(row->end_ns),	TEXT(row->task),
				   TEXT(row->job),	  TEXT(row->rule)};

	return recording_writer__put(writer, ROW_EPOCH, cells);
}

int recording_writer__thread_epoch(struct recording_writer *writer, int64_t epoch, int64_t thread)
{
	struct row_cell cells[] = {NUMBER(epoch), NUMBER(thread)};

	return recording_writer__put(writer, ROW_THREAD_EPOCH, cells);
}

int recording_writer__quantum(struct recording_writer *writer, const struct quantum_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->number), TEXT(row->label),
				   TEXT(row->class),   TEXT(row->quantum),  TEXT(row->run),
				   TEXT(row->dataid),  NUMBER(row->whole)};

	return recording_writer__put(writer, ROW_QUANTUM, cells);
}

int recording_writer__quantum_data(struct recording_writer *writer, int64_t epoch,
				   const char *field, const char *value)
{
	struct row_cell cells[] = {NUMBER(epoch), TEXT(field), TEXT(value)};

	return recording_writer__put(writer, ROW_QUANTUM_DATA, cells);
}

int recording_writer__resource(struct recording_writer *writer, const struct resource_row *row)
{
	struct row_cell cells[1 + PS_RESOURCE_COUNT + 8] = {NUMBER(row->epoch)}, *cell = cells + 1;
	const int64_t others[] = {row->threads,		 row->rss_start_bytes,
				  row->rss_end_bytes,	 row->rss_peak_bytes,
				  row->swap_start_bytes, row->swap_end_bytes,
				  row->swap_peak_bytes,	 row->children_rss_peak_bytes};

	for (size_t i = 0; i < PS_RESOURCE_COUNT; i++)
		(cell++)->number = row->sums[i];
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		(cell++)->number = others[i];
	return recording_writer__put(writer, ROW_RESOURCE, cells);
}

int recording_writer__counter(struct recording_writer *writer, int64_t epoch, const char *name,
			      int64_t value, int64_t enabled_ns, int64_t running_ns)
{
	struct row_cell cells[] = {NUMBER(epoch), TEXT(name), NUMBER(value), NUMBER(enabled_ns),
				   NUMBER(running_ns)};

	return recording_writer__put(writer, ROW_COUNTER, cells);
}

int recording_writer__thread(struct recording_writer *writer, const struct thread_row *row)
{
	struct row_cell cells[] = {NUMBER(row->id), NUMBER(row->process), NUMBER(row->tid),
				   TEXT(row->name), NUMBER(row->end_ns)};

	return recording_writer__put(writer, ROW_THREAD, cells);
}

int recording_writer__usage(struct recording_writer *writer, const struct usage_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->cpu_ns),
				   NUMBER(row->user_ns), NUMBER(row->system_ns)};

	return recording_writer__put(writer, ROW_USAGE, cells);
}

int recording_writer__thread_usage(struct recording_writer *writer,
				   const struct thread_usage_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->thread), NUMBER(row->slice),
				   NUMBER(row->cpu_ns)};

	return recording_writer__put(writer, ROW_THREAD_USAGE, cells);
}

int recording_writer__wait(struct recording_writer *writer, const struct wait_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), TEXT(row->class),
				   NUMBER(row->count), NUMBER(row->ns)};

	return recording_writer__put(writer, ROW_WAIT, cells);
}

int recording_writer__thread_wait(struct recording_writer *writer,
				  const struct thread_wait_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->thread), TEXT(row->class),
				   NUMBER(row->count), NUMBER(row->ns)};

	return recording_writer__put(writer, ROW_THREAD_WAIT, cells);
}

int recording_writer__file(struct recording_writer *writer, const struct file_row *row)
{
	struct row_cell cells[] = {NUMBER(row->id), TEXT(row->kind), TEXT(row->path),
				   TEXT(row->filesystem), TEXT(row->mount)};

	return recording_writer__put(writer, ROW_FILE, cells);
}

int recording_writer__io(struct recording_writer *writer, const struct io_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->file),
				   TEXT(row->op),      NUMBER(row->error), NUMBER(row->count),
				   NUMBER(row->bytes), NUMBER(row->ns)};

	return recording_writer__put(writer, ROW_IO, cells);
}

int recording_writer__io_histogram(struct recording_writer *writer, const char *op,
				   const char *filesystem, const char *what, int64_t bucket,
				   int64_t count)
{
	struct row_cell cells[] = {TEXT(op), TEXT(filesystem), TEXT(what), NUMBER(bucket),
				   NUMBER(count)};

	return recording_writer__put(writer, ROW_IO_HISTOGRAM, cells);
}

int recording_writer__function(struct recording_writer *writer, const struct function_row *row)
{
	struct row_cell cells[] = {NUMBER(row->id), TEXT(row->kind),   TEXT(row->name),
				   TEXT(row->file), NUMBER(row->line), TEXT(row->module)};

	return recording_writer__put(writer, ROW_FUNCTION, cells);
}

int recording_writer__frame(struct recording_writer *writer, int64_t id, int64_t function,
			    int64_t line, int64_t address)
{
	struct row_cell cells[] = {NUMBER(id), NUMBER(function), NUMBER(line), NUMBER(address)};

	return recording_writer__put(writer, ROW_FRAME, cells);
}

int recording_writer__inline(struct recording_writer *writer, int64_t frame, int64_t position,
			     int64_t function, int64_t line)
{
	struct row_cell cells[] = {NUMBER(frame), NUMBER(position), NUMBER(function), NUMBER(line)};

	return recording_writer__put(writer, ROW_INLINE, cells);
}

int recording_writer__stack(struct recording_writer *writer, int64_t id, int64_t parent,
			    int64_t frame)
{
	struct row_cell cells[] = {NUMBER(id), NUMBER(parent), NUMBER(frame)};

	return recording_writer__put(writer, ROW_STACK, cells);
}

int recording_writer__sample(struct recording_writer *writer, const struct sample_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->thread), NUMBER(row->slice),
				   NUMBER(row->stack), TEXT(row->ending),   TEXT(row->metric),
				   TEXT(row->class),   NUMBER(row->count),  NUMBER(row->value),
				   NUMBER(row->waker), NUMBER(row->file)};

	return recording_writer__put(writer, ROW_SAMPLE, cells);
}

int recording_writer__quality(struct recording_writer *writer, const char *name, int64_t value,
			      const char *meaning)
{
	struct row_cell cells[] = {TEXT(name), NUMBER(value), TEXT(meaning)};

	return recording_writer__put(writer, ROW_QUALITY, cells);
}

int recording_writer__recorder(struct recording_writer *writer, int64_t slice, int64_t cpu_ns,
			       int64_t rss_bytes)
{
	struct row_cell cells[] = {NUMBER(slice), NUMBER(cpu_ns), NUMBER(rss_bytes)};

	return recording_writer__put(writer, ROW_RECORDER, cells);
}

int recording_writer__unwind_problem(struct recording_writer *writer, const char *module,
				     const char *problem, int64_t count)
{
	struct row_cell cells[] = {TEXT(module), TEXT(problem), NUMBER(count)};

	return recording_writer__put(writer, ROW_UNWIND_PROBLEM, cells);
}

int recording_writer__program(struct recording_writer *writer, const char *name, int64_t runs,
			      int64_t run_ns)
{
	struct row_cell cells[] = {TEXT(name), NUMBER(runs), NUMBER(run_ns)};

	return recording_writer__put(writer, ROW_PROGRAM, cells);
}

int recording_writer__remote(struct recording_writer *writer, const struct remote_row *row)
{
	struct row_cell cells[] = {NUMBER(row->file), TEXT(row->protocol), TEXT(row->address),
				   NUMBER(row->port), NUMBER(row->own),	   TEXT(row->service),
				   TEXT(row->rule)};

	return recording_writer__put(writer, ROW_REMOTE, cells);
}

int recording_writer__wait_on(struct recording_writer *writer, const struct wait_on_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->file),
				   TEXT(row->class),   NUMBER(row->count), NUMBER(row->ns)};

	return recording_writer__put(writer, ROW_WAIT_ON, cells);
}

int recording_writer__wait_class(struct recording_writer *writer, const char *name,
				 const char *part_of, const char *rule, int64_t estimated)
{
	struct row_cell cells[] = {TEXT(name), TEXT(part_of), TEXT(rule), NUMBER(estimated)};

	return recording_writer__put(writer, ROW_WAIT_CLASS, cells);
}

int recording_writer__dataset(struct recording_writer *writer, int64_t file, const char *type,
			      const char *rule)
{
	struct row_cell cells[] = {NUMBER(file), TEXT(type), TEXT(rule)};

	return recording_writer__put(writer, ROW_DATASET, cells);
}

int recording_writer__renamed(struct recording_writer *writer, int64_t file, int64_t new_file)
{
	struct row_cell cells[] = {NUMBER(file), NUMBER(new_file)};

	return recording_writer__put(writer, ROW_RENAMED, cells);
}

int recording_writer__written(struct recording_writer *writer, const struct written_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->file),
				   NUMBER(row->files), NUMBER(row->bytes)};

	return recording_writer__put(writer, ROW_WRITTEN, cells);
}

int recording_writer__torn(struct recording_writer *writer, const struct torn_row *row)
{
	struct row_cell cells[] = {
		NUMBER(row->epoch),    NUMBER(row->file),   TEXT(row->cause),  NUMBER(row->code),
		NUMBER(row->appended), NUMBER(row->bytes),  NUMBER(row->size), NUMBER(row->open_ns),
		NUMBER(row->write_ns), NUMBER(row->time_ns)};

	return recording_writer__put(writer, ROW_TORN, cells);
}

int recording_writer__open_time(struct recording_writer *writer, const struct open_time_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->file),
				   NUMBER(row->count), NUMBER(row->ns),	   NUMBER(row->longest_ns),
				   NUMBER(row->open)};

	return recording_writer__put(writer, ROW_OPEN_TIME, cells);
}

int recording_writer__pattern(struct recording_writer *writer, const struct pattern_row *row)
{
	struct row_cell cells[] = {
		NUMBER(row->epoch),	 NUMBER(row->slice),   NUMBER(row->file),
		NUMBER(row->sequential), NUMBER(row->strided), NUMBER(row->random),
		NUMBER(row->bytes),	 NUMBER(row->parts),   NUMBER(row->part_bytes)};

	return recording_writer__put(writer, ROW_PATTERN, cells);
}

int recording_writer__memory(struct recording_writer *writer, const struct memory_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch),		 NUMBER(row->slice),
				   NUMBER(row->anonymous_bytes), NUMBER(row->file_bytes),
				   NUMBER(row->shared_bytes),	 NUMBER(row->swap_bytes),
				   NUMBER(row->minor_faults),	 NUMBER(row->major_faults)};

	return recording_writer__put(writer, ROW_MEMORY, cells);
}

int recording_writer__memory_growth(struct recording_writer *writer, int64_t epoch, int64_t slice,
				    const char *kind, int64_t faults, int64_t bytes)
{
	struct row_cell cells[] = {NUMBER(epoch), NUMBER(slice), TEXT(kind), NUMBER(faults),
				   NUMBER(bytes)};

	return recording_writer__put(writer, ROW_MEMORY_GROWTH, cells);
}

int recording_writer__memory_event(struct recording_writer *writer, int64_t epoch, int64_t slice,
				   const char *kind, int64_t count, int64_t bytes)
{
	struct row_cell cells[] = {NUMBER(epoch), NUMBER(slice), TEXT(kind), NUMBER(count),
				   NUMBER(bytes)};

	return recording_writer__put(writer, ROW_MEMORY_EVENT, cells);
}

int recording_writer__memory_map(struct recording_writer *writer, const struct memory_map_row *row)
{
	struct row_cell cells[] = {
		NUMBER(row->id),	 NUMBER(row->epoch),	  TEXT(row->kind),
		NUMBER(row->stack),	 TEXT(row->ending),	  NUMBER(row->count),
		NUMBER(row->bytes),	 NUMBER(row->live_count), NUMBER(row->live_bytes),
		NUMBER(row->peak_count), NUMBER(row->peak_bytes)};

	return recording_writer__put(writer, ROW_MEMORY_MAP, cells);
}

int recording_writer__ceph_mount(struct recording_writer *writer, int64_t id, const char *path)
{
	struct row_cell cells[] = {NUMBER(id), TEXT(path)};

	return recording_writer__put(writer, ROW_CEPH_MOUNT, cells);
}

int recording_writer__ceph(struct recording_writer *writer, const struct ceph_row *row)
{
	struct row_cell cells[] = {NUMBER(row->epoch), NUMBER(row->slice), NUMBER(row->mount),
				   TEXT(row->op),      NUMBER(row->error), NUMBER(row->count),
				   NUMBER(row->bytes), NUMBER(row->ns)};

	return recording_writer__put(writer, ROW_CEPH, cells);
}

int recording_writer__ceph_histogram(struct recording_writer *writer, int64_t mount, const char *op,
				     int64_t bucket, int64_t count)
{
	struct row_cell cells[] = {NUMBER(mount), TEXT(op), NUMBER(bucket), NUMBER(count)};

	return recording_writer__put(writer, ROW_CEPH_HISTOGRAM, cells);
}

int recording_writer__ceph_in_flight(struct recording_writer *writer,
				     const struct ceph_in_flight_row *row)
{
	struct row_cell cells[] = {NUMBER(row->slice), NUMBER(row->mount), TEXT(row->op),
				   NUMBER(row->count), NUMBER(row->oldest_ns)};

	return recording_writer__put(writer, ROW_CEPH_IN_FLIGHT, cells);
}

/* --- what is forgotten */

static int forget(struct recording_writer *writer, enum row_kind kind, int64_t id)
{
	struct row_cell cells[] = {NUMBER(id)};

	return recording_writer__put(writer, kind, cells);
}

int recording_writer__forget_stack(struct recording_writer *writer, int64_t id)
{
	return forget(writer, ROW_FORGET_STACK, id);
}

int recording_writer__forget_frame(struct recording_writer *writer, int64_t id)
{
	return forget(writer, ROW_FORGET_INLINE, id) ?: forget(writer, ROW_FORGET_FRAME, id);
}

int recording_writer__forget_function(struct recording_writer *writer, int64_t id)
{
	return forget(writer, ROW_FORGET_FUNCTION, id);
}

int recording_writer__forget_file(struct recording_writer *writer, int64_t id)
{
	return forget(writer, ROW_FORGET_FILE, id);
}
