// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/unwinder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "capture/run_pool.h"
#include "counters.h"
#include "pipescope.skel.h"
#include "python/eval_ranges.h"
#include "unwind/compiler.h"
#include "unwind/rows.h"
#include "unwind/vdso.h"

/* Rows of a file that nobody maps are dropped after so long. */
#define FILE_KEPT_NS 10000000000ULL
/* A piece of a file is put into what is left of a chunk if that is so many rows at least. */
#define PIECE_LEAST 2048u
#define MAX_LOOPS   16
#define COMPILERS   4 /* threads */

/* Rows of a file that lie in one chunk. */
struct piece {
	uint32_t start, end; /* row addresses; the last piece's end is UINT32_MAX */
	struct run run;
};

enum file_state { FILE_NEW, FILE_PENDING, FILE_READY, FILE_EMPTY };

struct unwind_file {
	enum file_state state;
	uint64_t base; /* the file's own address of row address 0 */
	struct piece *pieces; /* sorted */
	size_t piece_count, piece_capacity;
	struct eval_range loops[MAX_LOOPS];
	size_t loop_count;
	uint64_t problems[UNWIND_PROBLEM_COUNT];
	uint32_t users; /* mappings in spaces */
	uint64_t unused_ns; /* since when it has none */
	struct unwind_file *next;
};

struct unwind_space {
	uint32_t *tgids;
	size_t tgid_count, tgid_capacity;
	struct unwind_mapping *mappings;
	size_t mapping_count;
	struct run run;
	uint32_t set; /* number of what BPF was told last */
	uint64_t since_ns; /* when BPF was told of the run */
	bool waits; /* for rows of some mappings */
	struct unwind_space *previous, *next;
};

struct unwinder {
	struct pipescope_bpf *bpf;
	uint64_t *counters;
	struct unwind_cache *cache; /* NULL: none could be opened */
	struct unwind_compiler *compiler;
	struct run_pool *rows, *ranges;
	struct unwind_file *files, *vdso;
	struct unwind_space *spaces;
	size_t pending; /* files that are being compiled */
	uint32_t sets; /* numbers given */
};

int unwinder__new(struct pipescope_bpf *bpf, uint64_t *counters, struct unwinder **ret_unwinder)
{
	const struct run_pool_sizes rows = {"unwind_chunk", PS_UNWIND_CHUNKS, PS_UNWIND_CHUNK_ROWS,
					    sizeof(struct ps_unwind_row)};
	const struct run_pool_sizes ranges = {"unwind_table", PS_UNWIND_TABLES,
					      PS_UNWIND_TABLE_RANGES,
					      sizeof(struct ps_unwind_range)};
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));
	int err;

	if (!unwinder)
		return -ENOMEM;
	unwinder->bpf = bpf;
	unwinder->counters = counters;
	err = run_pool__new(bpf_map__fd(bpf->maps.unwind_chunks), &rows, &unwinder->rows);
	if (!err)
		err = run_pool__new(bpf_map__fd(bpf->maps.unwind_tables), &ranges,
				    &unwinder->ranges);
	/* Without a cache all is compiled again at each start. */
	if (!err && unwind_cache__open(UNWIND_CACHE_PATH, UNWIND_CACHE_LIMIT, &unwinder->cache))
		unwinder->cache = NULL;
	if (!err)
		err = unwind_compiler__new(COMPILERS, unwinder->cache, &unwinder->compiler);
	if (err) {
		unwinder__free(unwinder);
		return err;
	}
	*ret_unwinder = unwinder;
	return 0;
}

static void free_space(struct unwind_space *space)
{
	free(space->tgids);
	free(space->mappings);
	free(space);
}

void unwinder__free(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	unwind_compiler__free(unwinder->compiler);
	unwind_cache__free(unwinder->cache);
	while (unwinder->spaces) {
		struct unwind_space *next = unwinder->spaces->next;

		free_space(unwinder->spaces);
		unwinder->spaces = next;
	}
	while (unwinder->files) {
		struct unwind_file *next = unwinder->files->next;

		free(unwinder->files->pieces);
		free(unwinder->files);
		unwinder->files = next;
	}
	run_pool__free(unwinder->rows);
	run_pool__free(unwinder->ranges);
	free(unwinder);
}

/* --- files */

struct unwind_file *unwinder__add_file(struct unwinder *unwinder)
{
	struct unwind_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->next = unwinder->files;
	unwinder->files = file;
	return file;
}

bool unwind_file__wants(const struct unwind_file *file)
{
	return file->state == FILE_NEW;
}

const uint64_t *unwind_file__problems(const struct unwind_file *file)
{
	return file->problems;
}

/* In a compiler's thread, which has the file to itself while it is pending. */
static void find_loops(void *user, int fd)
{
	struct unwind_file *file = user;

	if (!file->loop_count && eval_ranges__find(fd, file->loops, MAX_LOOPS, &file->loop_count))
		file->loop_count = 0;
}

int unwinder__compile(struct unwinder *unwinder, struct unwind_file *file, int fd, bool python)
{
	int err = unwind_compiler__add(unwinder->compiler, fd, python ? find_loops : NULL, file);

	if (err) /* too many open files: the next process that maps it tries again */
		return err == -ENOMEM ? err : 0;
	file->state = FILE_PENDING;
	unwinder->pending++;
	return 0;
}

static void drop_rows(struct unwinder *unwinder, struct unwind_file *file, uint64_t now_ns)
{
	for (size_t i = 0; i < file->piece_count; i++)
		run_pool__give(unwinder->rows, &file->pieces[i].run, now_ns);
	file->piece_count = 0;
}

bool unwind_file__busy(const struct unwind_file *file)
{
	return file->users || file->state == FILE_PENDING;
}

void unwinder__forget_file(struct unwinder *unwinder, struct unwind_file *file, uint64_t now_ns)
{
	struct unwind_file **at = &unwinder->files;

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	drop_rows(unwinder, file, now_ns);
	free(file->pieces);
	free(file);
}

/* Puts rows into BPF's chunks, as many pieces as it takes. */
static int store_rows(struct unwinder *unwinder, struct unwind_file *file,
		      const struct unwind_rows *rows)
{
	size_t stored = 0;

	while (stored < rows->count) {
		uint32_t room = run_pool__largest(unwinder->rows);
		size_t count = rows->count - stored;
		struct piece *piece;
		int err;

		if (room < PIECE_LEAST)
			room = PS_UNWIND_CHUNK_ROWS;
		if (count > room)
			count = room;
		err = array__reserve(&file->pieces, &file->piece_capacity, sizeof(*file->pieces),
				     file->piece_count + 1);
		if (err)
			return err;
		piece = &file->pieces[file->piece_count];
		err = run_pool__take(unwinder->rows, (uint32_t)count, &piece->run);
		if (err)
			return err;
		memcpy(run_pool__items(unwinder->rows, &piece->run), rows->rows + stored,
		       count * sizeof(*rows->rows));
		piece->start = stored ? rows->rows[stored].address : 0;
		stored += count;
		piece->end = stored < rows->count ? rows->rows[stored].address : UINT32_MAX;
		file->piece_count++;
	}
	return 0;
}

static int take_rows(struct unwinder *unwinder, struct unwind_file *file, struct unwind_rows *rows,
		     uint64_t now_ns)
{
	int err = 0;

	file->base = rows->base;
	memcpy(file->problems, rows->problems, sizeof(file->problems));
	for (size_t i = 0; i < file->loop_count && !err; i++)
		err = unwind_rows__mark(rows, file->loops[i].start, file->loops[i].end);
	err = err ?: store_rows(unwinder, file, rows);
	file->state = !err && file->piece_count ? FILE_READY : FILE_EMPTY;
	file->unused_ns = now_ns;
	if (!err)
		return 0;
	drop_rows(unwinder, file, now_ns);
	unwinder->counters[PS_COUNTER_ROWS_FULL]++;
	return err == -ENOMEM ? err : 0;
}

struct unwind_file *unwinder__vdso(struct unwinder *unwinder)
{
	struct unwind_rows rows;
	struct unwind_file *file;

	if (unwinder->vdso)
		return unwinder->vdso;
	file = unwinder__add_file(unwinder);
	if (!file)
		return NULL;
	file->state = FILE_EMPTY;
	if (!unwind_vdso__compile(&rows)) {
		take_rows(unwinder, file, &rows, 0);
		unwind_rows__clear(&rows);
	}
	unwinder->vdso = file;
	return file;
}

/* --- spaces */

static void release_files(struct unwind_space *space, uint64_t now_ns)
{
	for (size_t i = 0; i < space->mapping_count; i++) {
		struct unwind_file *file = space->mappings[i].file;

		if (file && !--file->users)
			file->unused_ns = now_ns;
	}
	space->mapping_count = 0;
}

/* The ranges of one mapping, of each piece that it shows; ranges NULL: only how many. */
static size_t add_ranges(const struct unwind_mapping *mapping, struct ps_unwind_range *ranges)
{
	const struct unwind_file *file = mapping->file;
	uint64_t size = mapping->end - mapping->start, from, to;
	struct ps_unwind_range nothing = {
		.start = mapping->start,
		.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
		.chunk = PS_UNWIND_NO_ROWS,
	};
	size_t count = 0;

	if (!file || file->state != FILE_READY || mapping->address < file->base ||
	    mapping->address - file->base > UINT32_MAX) {
		if (ranges)
			*ranges = nothing;
		return 1;
	}
	from = mapping->address - file->base;
	to = from + size;
	for (size_t i = 0; i < file->piece_count; i++) {
		const struct piece *piece = &file->pieces[i];
		uint64_t start = piece->start > from ? piece->start : from;
		uint64_t end = piece->end < to ? piece->end : to;

		if (start >= end)
			continue;
		if (ranges)
			ranges[count] = (struct ps_unwind_range){
				.start = mapping->start + (start - from),
				.size = (uint32_t)(end - start),
				.delta = (uint32_t)start,
				.chunk = piece->run.map,
				.first = (uint16_t)piece->run.start,
				.last = (uint16_t)(piece->run.start + piece->run.count - 1),
			};
		count++;
	}
	return count;
}

static struct ps_unwind_process ranges_of(const struct unwind_space *space)
{
	return (struct ps_unwind_process){
		.table = space->run.map,
		.first = (uint16_t)space->run.start,
		.count = (uint16_t)space->run.count,
		.set = space->set,
	};
}

void unwinder__tell(struct unwinder *unwinder, uint32_t tgid, const struct unwind_space *space)
{
	struct ps_unwind_process ranges = ranges_of(space);
	int map = bpf_map__fd(unwinder->bpf->maps.unwind_processes);

	/* What BPF knows by now is another process's soon. */
	if (!space->run.count)
		bpf_map_delete_elem(map, &tgid);
	else if (bpf_map_update_elem(map, &tgid, &ranges, BPF_ANY))
		unwinder->counters[PS_COUNTER_RANGES_FULL]++;
}

/* Makes the ranges of a space anew, from its mappings and the rows that there are now. */
static void make_ranges(struct unwinder *unwinder, struct unwind_space *space, uint64_t now_ns)
{
	struct run old = space->run;
	struct ps_unwind_range *ranges;
	size_t count = 0, filled = 0;

	space->run = (struct run){};
	space->waits = false;
	for (size_t i = 0; i < space->mapping_count; i++) {
		const struct unwind_file *file = space->mappings[i].file;

		count += add_ranges(&space->mappings[i], NULL);
		if (file && file->state == FILE_PENDING)
			space->waits = true;
	}
	if (count && count <= PS_UNWIND_TABLE_RANGES &&
	    !run_pool__take(unwinder->ranges, (uint32_t)count, &space->run)) {
		ranges = run_pool__items(unwinder->ranges, &space->run);
		for (size_t i = 0; i < space->mapping_count; i++)
			filled += add_ranges(&space->mappings[i], &ranges[filled]);
	} else if (count) {
		unwinder->counters[PS_COUNTER_RANGES_FULL]++;
	}
	/* Without a number BPF remembers nothing of them; that is slower, not wrong. */
	space->set = unwinder->sets < UINT32_MAX ? ++unwinder->sets : 0;
	space->since_ns = now_ns;
	for (size_t i = 0; i < space->tgid_count; i++)
		unwinder__tell(unwinder, space->tgids[i], space);
	run_pool__give(unwinder->ranges, &old, now_ns);
}

static int add_tgid(struct unwind_space *space, uint32_t tgid)
{
	int err = array__reserve(&space->tgids, &space->tgid_capacity, sizeof(*space->tgids),
				 space->tgid_count + 1);

	if (!err)
		space->tgids[space->tgid_count++] = tgid;
	return err;
}

static struct unwind_space *new_space(struct unwinder *unwinder, uint32_t tgid)
{
	struct unwind_space *space = calloc(1, sizeof(*space));

	if (!space)
		return NULL;
	if (add_tgid(space, tgid)) {
		free_space(space);
		return NULL;
	}
	space->next = unwinder->spaces;
	if (space->next)
		space->next->previous = space;
	unwinder->spaces = space;
	return space;
}

int unwinder__map(struct unwinder *unwinder, uint32_t tgid, struct unwind_space **space,
		  const struct unwind_mapping *mappings, size_t count, uint64_t now_ns)
{
	struct unwind_mapping *copy = calloc(count + 1, sizeof(*copy));
	struct unwind_space *own = *space;

	if (!copy)
		return -ENOMEM;
	if (own && own->tgid_count > 1)
		unwinder__unmap(unwinder, tgid, &own, now_ns);
	if (!own)
		own = new_space(unwinder, tgid);
	*space = own;
	if (!own) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, mappings, count * sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		if (copy[i].file)
			copy[i].file->users++;
	release_files(own, now_ns);
	free(own->mappings);
	own->mappings = copy;
	own->mapping_count = count;
	make_ranges(unwinder, own, now_ns);
	return 0;
}

int unwinder__share(struct unwinder *unwinder, uint32_t tgid, struct unwind_space *space,
		    uint64_t forked_ns, struct unwind_space **ret_space)
{
	int err = add_tgid(space, tgid);

	if (err)
		return err;
	if (space->since_ns > forked_ns)
		unwinder__tell(unwinder, tgid, space);
	*ret_space = space;
	return 0;
}

void unwinder__unmap(struct unwinder *unwinder, uint32_t tgid, struct unwind_space **space,
		     uint64_t now_ns)
{
	struct unwind_space *left = *space;

	*space = NULL;
	if (!left)
		return;
	for (size_t i = 0; i < left->tgid_count; i++) {
		if (left->tgids[i] == tgid) {
			left->tgids[i] = left->tgids[--left->tgid_count];
			break;
		}
	}
	if (left->tgid_count)
		return;
	release_files(left, now_ns);
	run_pool__give(unwinder->ranges, &left->run, now_ns);
	if (left->previous)
		left->previous->next = left->next;
	else
		unwinder->spaces = left->next;
	if (left->next)
		left->next->previous = left->previous;
	free_space(left);
}

bool unwind_space__waits(const struct unwind_space *space)
{
	return space->waits;
}

/* --- compiled files */

int unwinder__fd(const struct unwinder *unwinder)
{
	return unwind_compiler__fd(unwinder->compiler);
}

bool unwinder__busy(const struct unwinder *unwinder)
{
	return unwinder->pending;
}

int unwinder__take(struct unwinder *unwinder, uint64_t now_ns)
{
	struct unwind_job job;
	bool any = false;
	int err = 0;

	while (!err && unwind_compiler__take(unwinder->compiler, &job)) {
		struct unwind_file *file = job.user;

		unwinder->pending--;
		any = true;
		file->state = FILE_EMPTY;
		if (job.err)
			continue;
		err = take_rows(unwinder, file, &job.rows, now_ns);
		unwind_rows__clear(&job.rows);
	}
	for (struct unwind_space *space = unwinder->spaces; any && space; space = space->next)
		if (space->waits)
			make_ranges(unwinder, space, now_ns);
	return err;
}

/* --- the rest */

struct remote_rows unwinder__rows(const struct unwinder *unwinder, const struct unwind_space *space)
{
	struct remote_rows rows = {
		.chunks = (const struct ps_unwind_chunk *const *)run_pool__maps(unwinder->rows),
	};

	if (!space || !space->run.count)
		return rows;
	rows.table = run_pool__maps(unwinder->ranges)[space->run.map];
	rows.ranges = ranges_of(space);
	return rows;
}

void unwinder__slice(struct unwinder *unwinder, uint64_t now_ns)
{
	for (struct unwind_file *file = unwinder->files; file; file = file->next) {
		if (file->state != FILE_READY || file->users || file == unwinder->vdso ||
		    now_ns - file->unused_ns < FILE_KEPT_NS)
			continue;
		drop_rows(unwinder, file, now_ns);
		file->state = FILE_NEW;
	}
	run_pool__sweep(unwinder->rows, now_ns);
	run_pool__sweep(unwinder->ranges, now_ns);
	unwinder->bpf->data->stack_copies_left = PS_STACK_COPIES;
}

uint64_t unwinder__bytes(const struct unwinder *unwinder)
{
	return run_pool__bytes(unwinder->rows) + run_pool__bytes(unwinder->ranges);
}
