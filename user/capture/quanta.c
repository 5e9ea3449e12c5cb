// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/quanta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "counters.h"
#include "capture/quantum_names.h"
#include "proc/frame_rule.h"
#include "python/objects.h"
#include "store/writer.h"

/* So long after its beginning the names of a pending quantum are its own for certain. */
#define PENDING_NS 100000000ULL

struct told_code {
	uint64_t address;
	struct ps_frame_rule rule;
};

/* A code object that BPF is to be told of. */
struct found_code {
	struct code_space *space; /* referred to */
	struct told_code code;
};

struct quanta {
	struct quanta_parts parts;
	struct frame_rule **rules; /* by rank */
	uint32_t rule_count;
	uint32_t last_space;
	struct found_code *found;
	size_t found_count, found_capacity;
};

/* Shared by processes that one has forked from the other, until one of them meets new code: that
 * may lie where another has other code. */
struct code_space {
	uint32_t id, references;
	uint32_t processes; /* that are in it */
	struct told_code *codes; /* told to BPF; address 0: that there are any */
	size_t count, capacity;
};

static void unref(struct quanta *quanta, struct code_space *space)
{
	if (--space->references)
		return;
	for (size_t i = 0; i < space->count; i++) {
		const struct ps_frame_key key = {.code = space->codes[i].address,
						 .space = space->id};

		bpf_map_delete_elem(quanta->parts.frame_rules, &key);
	}
	free(space->codes);
	free(space);
}

/* A rule before has the same name. Where one of them has the scope of a process, what only has the
 * name is taken for the process's. */
static int share_name(const struct quanta *quanta, uint64_t hash, const struct frame_rule *rule)
{
	uint32_t value;

	if (rule->of_thread || bpf_map_lookup_elem(quanta->parts.frame_names, &hash, &value))
		return 0;
	value &= ~PS_NAME_OF_THREAD;
	return bpf_map_update_elem(quanta->parts.frame_names, &hash, &value, BPF_EXIST);
}

/* Of two rules with the same name the first one's rank stays. */
static int tell_names(const struct quanta *quanta, uint32_t rank)
{
	const struct frame_rule *rule = quanta->rules[rank];
	const struct rule_words *functions = &rule->functions;
	uint32_t value = rank | (rule->of_thread ? PS_NAME_OF_THREAD : 0);

	for (size_t i = 0; i < functions->count && !rule->has_part; i++) {
		const char *name = frame_rule__plain_name(functions->items[i]);
		uint64_t hash = PS_NAME_HASH_START;

		if (!name)
			continue;
		for (; *name; name++)
			hash = PS_NAME_HASH_STEP(hash, *name);
		if (bpf_map_update_elem(quanta->parts.frame_names, &hash, &value, BPF_NOEXIST) &&
		    (errno != EEXIST || share_name(quanta, hash, rule)))
			return -errno;
	}
	return 0;
}

int quanta__new(const struct quanta_parts *parts, struct quanta **ret_quanta)
{
	struct quanta *quanta = calloc(1, sizeof(*quanta));
	size_t count = rules__count(parts->rules);
	int err = 0;

	if (!quanta)
		return -ENOMEM;
	quanta->parts = *parts;
	quanta->rules = calloc(count + 1, sizeof(*quanta->rules));
	if (!quanta->rules) {
		free(quanta);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		struct frame_rule *rule = rules__frame(parts->rules, i);

		if (rule)
			quanta->rules[quanta->rule_count++] = rule;
	}
	for (uint32_t rank = 0; rank < quanta->rule_count && !err; rank++)
		err = tell_names(quanta, rank);
	if (err) {
		quanta__free(quanta);
		return err;
	}
	*ret_quanta = quanta;
	return 0;
}

void quanta__free(struct quanta *quanta)
{
	if (!quanta)
		return;
	for (size_t i = 0; i < quanta->found_count; i++)
		unref(quanta, quanta->found[i].space);
	free(quanta->found);
	free(quanta->rules);
	free(quanta);
}

void quanta__calls(const struct rules *rules, uint8_t calls[PS_SYSCALL_LIMIT])
{
	memset(calls, 0, PS_SYSCALL_LIMIT);
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct frame_rule *rule = rules__frame(rules, i);

		for (size_t j = 0; rule && j < rule->calls.count; j++) {
			const char *name = rule->calls.items[j];
			int number = syscall__number(name);

			if (number >= 0 && number < PS_SYSCALL_LIMIT)
				calls[number] = strcmp(name, "clock_gettime") ? PS_CALL_BOUNDARY
									      : PS_CALL_CLOCK;
		}
	}
}

bool quanta__any_function(const struct rules *rules)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct frame_rule *rule = rules__frame(rules, i);

		for (size_t j = 0; rule && !rule->has_part && j < rule->functions.count; j++)
			if (!frame_rule__plain_name(rule->functions.items[j]))
				return true;
	}
	return false;
}

bool quanta__of_threads(const struct rules *rules)
{
	for (size_t i = 0; i < rules__count(rules); i++) {
		const struct frame_rule *rule = rules__frame(rules, i);

		if (rule && rule->of_thread)
			return true;
	}
	return false;
}

/* --- spaces */

static struct code_space *new_space(struct quanta *quanta)
{
	struct code_space *space = calloc(1, sizeof(*space));

	if (space) {
		space->references = space->processes = 1;
		space->id = ++quanta->last_space;
	}
	return space;
}

int quanta__new_space(struct quanta *quanta, struct process *process)
{
	quanta__forget(quanta, process);
	process->code_space = new_space(quanta);
	if (!process->code_space)
		return -ENOMEM;
	process->python_process.space = process->code_space->id;
	return 0;
}

void quanta__share_space(const struct process *parent, struct process *child)
{
	if (child->code_space || !parent->code_space)
		return;
	child->code_space = parent->code_space;
	child->code_space->references++;
	child->code_space->processes++;
}

void quanta__forget(struct quanta *quanta, struct process *process)
{
	if (process->code_space) {
		process->code_space->processes--;
		unref(quanta, process->code_space);
	}
	process->code_space = NULL;
}

/* Tells BPF of code. */
static int tell(struct quanta *quanta, struct code_space *space, const struct told_code *code)
{
	const struct ps_frame_key key = {.code = code->address, .space = space->id};
	size_t at = 0;
	int err;

	if (bpf_map_update_elem(quanta->parts.frame_rules, &key, &code->rule, BPF_ANY)) {
		quanta->parts.counters[PS_COUNTER_FRAME_RULES_FULL]++;
		return 0;
	}
	while (at < space->count && space->codes[at].address != code->address)
		at++;
	err = array__reserve(&space->codes, &space->capacity, sizeof(*space->codes), at + 1);
	if (err)
		return err;
	space->codes[at] = *code;
	if (at == space->count)
		space->count++;
	return 0;
}

/* Makes the process's space its own. */
static int unshare(struct quanta *quanta, struct process *process)
{
	struct code_space *old = process->code_space, *own;
	uint32_t tgid = (uint32_t)process->key.tgid;
	int err = 0;

	if (old->processes == 1)
		return 0;
	own = new_space(quanta);
	if (!own)
		return -ENOMEM;
	for (size_t i = 0; i < old->count && !err; i++)
		err = tell(quanta, own, &old->codes[i]);
	process->code_space = own;
	process->python_process.space = own->id;
	old->processes--;
	unref(quanta, old);
	/* Not told: the map is full, which was counted as the process was told of. */
	bpf_map_update_elem(quanta->parts.py_processes, &tgid, &process->python_process, BPF_EXIST);
	return err;
}

/* --- code */

/* What BPF was told of the code; NULL: nothing. */
static const struct ps_frame_rule *find_code(const struct process *process, uint64_t address,
					     uint32_t check)
{
	const struct code_space *space = process->code_space;

	for (size_t i = 0; space && i < space->count; i++)
		if (space->codes[i].address == address && space->codes[i].rule.check == check)
			return &space->codes[i].rule;
	return NULL;
}

/* Where the function has the rule's variables. false: it has none that tells quanta apart. */
static bool find_locals(struct python_reader *reader, uint64_t address,
			const struct frame_rule *rule, struct ps_frame_rule *told)
{
	bool any = false;

	told->identity_count = (uint8_t)rule->identity_count;
	for (uint32_t i = 0; i < PS_QUANTUM_LOCALS; i++) {
		struct python_local local;

		told->slots[i] = PS_LOCAL_NONE;
		if (i >= rule->local_count ||
		    python_code__local(reader, address, rule->locals[i], &local))
			continue;
		told->slots[i] = local.slot | (local.is_cell ? PS_LOCAL_CELL : 0);
		told->of_thread = rule->of_thread;
		any |= i < rule->identity_count;
	}
	return any;
}

/* The first rule that says which part of a quantum the code is. */
static void find_part(const struct quanta *quanta, struct python_reader *reader, uint64_t address,
		      const struct python_code *code, struct ps_frame_rule *told)
{
	told->part = PS_LOCAL_NONE;
	for (uint32_t rank = 0; rank < quanta->rule_count && rank <= UINT8_MAX; rank++) {
		const struct frame_rule *rule = quanta->rules[rank];
		struct python_local local;

		if (!rule->has_part || !frame_rule__matches(rule, code->name, code->file) ||
		    python_code__local(reader, address, rule->part.path.variable, &local))
			continue;
		told->part = local.slot | (local.is_cell ? PS_LOCAL_CELL : 0);
		told->part_rank = (uint8_t)rank;
		return;
	}
}

int quanta__on_code(struct quanta *quanta, struct process *process,
		    const struct python_layout *layout, const struct ps_frame *frame,
		    const struct python_code *code)
{
	const struct process_memory memory = process_memory__of((pid_t)process->key.tgid);
	struct python_reader reader = python_reader__of(&memory.memory, layout, 0);
	struct ps_frame_rule told = {.check = PS_FRAME_CHECK(frame)};
	bool is_named = false;
	int err;

	if (!process->code_space || find_code(process, frame->address, told.check))
		return 0;
	for (told.rank = 0; told.rank < quanta->rule_count; told.rank++) {
		const struct frame_rule *rule = quanta->rules[told.rank];

		if (rule->has_part)
			continue;
		is_named |= frame_rule__has_name(rule, code->name);
		if (frame_rule__matches(rule, code->name, code->file) &&
		    find_locals(&reader, frame->address, rule, &told))
			break;
	}
	if (told.rank == quanta->rule_count)
		told = (struct ps_frame_rule){.rank = PS_NO_QUANTUM, .check = told.check};
	find_part(quanta, &reader, frame->address, code, &told);
	if (told.rank == PS_NO_QUANTUM && told.part == PS_LOCAL_NONE && !is_named)
		return 0;
	err = unshare(quanta, process);
	err = err
		      ?: array__reserve(&quanta->found, &quanta->found_capacity,
					sizeof(*quanta->found), quanta->found_count + 1);
	if (err)
		return err;
	process->code_space->references++;
	quanta->found[quanta->found_count++] =
		(struct found_code){.space = process->code_space, .code = {frame->address, told}};
	return 0;
}

static int by_rank(const void *one, const void *other)
{
	const struct found_code *a = one, *b = other;

	return a->code.rule.rank < b->code.rule.rank ? -1 : a->code.rule.rank > b->code.rule.rank;
}

/* In the order of the rules: of two functions on a stack BPF must never know only the one that does
 * not count. */
int quanta__settle(struct quanta *quanta)
{
	int err = 0;

	if (!quanta->found_count)
		return 0;
	qsort(quanta->found, quanta->found_count, sizeof(*quanta->found), by_rank);
	for (size_t i = 0; i < quanta->found_count; i++) {
		const struct found_code *found = &quanta->found[i];

		struct told_code any = {.address = PS_CODE_OF_QUANTA, .rule = found->code.rule};

		err = err ?: tell(quanta, found->space, &found->code);
		if (found->code.rule.rank != PS_NO_QUANTUM)
			err = err ?: tell(quanta, found->space, &any);
		any.address = PS_CODE_OF_PARTS;
		if (found->code.rule.part != PS_LOCAL_NONE)
			err = err ?: tell(quanta, found->space, &any);
		unref(quanta, found->space);
	}
	quanta->found_count = 0;
	return err;
}

/* --- quanta */

static int write_quantum(struct quanta *quanta, const struct epoch *epoch,
			 const struct quantum_names *names)
{
	struct quantum_row row = {
		.epoch = epoch->id,
		.number = epoch->quantum,
		.whole = epoch->whole,
		.label = names->text[FRAME_LABEL],
		.class = names->text[FRAME_CLASS],
		.quantum = names->text[FRAME_ID],
		.run = names->text[FRAME_RUN],
		.dataid = names->dataid,
	};
	int err = recording_writer__quantum(quanta->parts.writer, &row);

	for (size_t i = 0; i < names->field_count && !err; i++)
		err = recording_writer__quantum_data(quanta->parts.writer, epoch->id,
						     names->fields[i].name, names->fields[i].value);
	return err;
}

/* Whether the process is still at it. */
static bool goes_on(const struct quanta *quanta, const struct ps_quantum_event *event)
{
	uint32_t tgid = event->event.tgid, tid = event->event.tid;
	struct ps_thread_quantum own;
	struct ps_who who;

	/* BPF tells first, then makes it known. */
	if (event->of_thread)
		return !bpf_map_lookup_elem(quanta->parts.thread_quanta, &tid, &own) &&
		       (own.epoch == event->epoch || own.epoch == event->previous_epoch);
	return !bpf_map_lookup_elem(quanta->parts.epochs, &tgid, &who) &&
	       (who.epoch == event->epoch || who.epoch == event->previous_epoch);
}

bool quanta__is_part(const struct quanta *quanta, const struct process *process,
		     const struct ps_frame *frame)
{
	const struct ps_frame_rule *rule =
		find_code(process, frame->address, PS_FRAME_CHECK(frame));

	for (size_t i = 0; i < quanta->found_count && !rule; i++)
		if (quanta->found[i].space == process->code_space &&
		    quanta->found[i].code.address == frame->address)
			rule = &quanta->found[i].code.rule;
	return rule && rule->part != PS_LOCAL_NONE;
}

int quanta__part_name(struct quanta *quanta, const struct process *process,
		      const struct python_layout *layout, uint32_t rank, uint64_t object,
		      char **ret_text)
{
	if (rank >= quanta->rule_count || !quanta->rules[rank]->has_part)
		return -ENOENT;
	return quantum_names__value(&quanta->rules[rank]->part, process, layout, object, ret_text);
}

/* The variables of a call that BPF only knows by the function's name. Another call may have taken
 * the frame by then, or the function have put other objects into its variables: then none is told.
 */
static void read_locals(const struct process *process, const struct python_layout *layout,
			const struct ps_frame_rule *rule, struct ps_quantum_event *event)
{
	const struct process_memory memory = process_memory__of((pid_t)process->key.tgid);
	const struct ps_py_offsets *walker = &layout->walker;
	uint64_t code, object, tags = walker->code_tag_bits, seen[PS_QUANTUM_LOCALS];

	memcpy(seen, event->locals, sizeof(seen));
	memset(event->locals, 0, sizeof(event->locals));
	if (memory__read(&memory.memory, event->frame + walker->frame_code, &code, sizeof(code)) ||
	    (code & ~tags) != event->code)
		return;
	for (size_t i = 0; i < PS_QUANTUM_LOCALS; i++) {
		uint64_t slot = rule->slots[i] & ~PS_LOCAL_CELL;

		if (rule->slots[i] == PS_LOCAL_NONE ||
		    memory__read(&memory.memory, event->frame + walker->frame_locals + 8 * slot,
				 &object, sizeof(object)))
			continue;
		object &= ~tags;
		if (i < rule->identity_count && slot < PS_QUANTUM_LOCALS && object != seen[slot]) {
			memset(event->locals, 0, sizeof(event->locals));
			return;
		}
		if (object && rule->slots[i] & PS_LOCAL_CELL &&
		    memory__read(&memory.memory, object + layout->cell_object, &object,
				 sizeof(object)))
			continue;
		event->locals[i] = object;
	}
}

/* Names are read first of all: the process runs on. By then the objects may be gone, and others in
 * their place. false: the quantum was over, and nobody knows whose names they were. */
static bool read_names(struct quanta *quanta, const struct process *process,
		       const struct python_layout *layout, const struct ps_quantum_event *event,
		       struct quantum_names *names)
{
	if (layout)
		quantum_names__read(names, quanta->rules[event->rank], process, layout,
				    event->locals);
	if (goes_on(quanta, event))
		return true;
	quantum_names__clear(names);
	return false;
}

static void count_unread(struct quanta *quanta, bool over)
{
	quanta->parts.counters[PS_COUNTER_QUANTUM_UNREAD]++;
	if (over)
		quanta->parts.counters[PS_COUNTER_QUANTUM_OVER]++;
}

/* What the process is called during the quantum. */
static int identity_of(struct quanta *quanta, const struct process *process, uint32_t rank,
		       const struct quantum_names *names, struct identity *ret_identity)
{
	struct identity identity = process->own;

	if (names->text[FRAME_LABEL]) {
		identity.task = rules__intern(quanta->parts.rules, names->text[FRAME_LABEL]);
		identity.rule = quanta->rules[rank]->rule.name;
	}
	if (!identity.task)
		return -ENOMEM;
	*ret_identity = identity;
	return 0;
}

/* A pending epoch has turned out to be a quantum: most often its names are known by now. */
static int name_epoch(struct quanta *quanta, struct process *process, struct epoch *epoch,
		      const struct ps_quantum_event *event, const struct python_layout *layout)
{
	struct quantum_names names = {0};
	struct identity identity;
	bool over;
	int err;

	if (epoch->process != process || epoch->is_named)
		return 0;
	over = !read_names(quanta, process, layout, event, &names);
	epoch->is_named = names.text[FRAME_LABEL];
	if (epoch->quantum && epoch->is_named)
		quanta->parts.counters[PS_COUNTER_QUANTUM_UNREAD]--;
	else if (!epoch->quantum && !epoch->is_named)
		count_unread(quanta, over);
	if (!epoch->quantum) { /* its stack was lost */
		epoch->quantum = ++process->quantum_count;
		quanta->parts.counters[PS_COUNTER_QUANTUM_BEGUN_LATE]++;
	}
	err = identity_of(quanta, process, event->rank, &names, &identity);
	err = err ?: tracker__name_epoch(quanta->parts.tracker, epoch, &identity);
	err = err ?: write_quantum(quanta, epoch, &names);
	quantum_names__clear(&names);
	return err;
}

/* Whether the quantum begins with its event. The first of a process that is not seen at a boundary
 * has begun before. A pending one may by now be another call, at the same place of the stack, than
 * the one that began: BPF tells them apart by variables, of which it had to be told. */
static bool begins_here(struct quanta *quanta, struct process *process,
			const struct ps_quantum_event *event, bool pending)
{
	bool late = pending && clock__ns(CLOCK_MONOTONIC) - event->event.time_ns > PENDING_NS;

	if (!process->quantum_count && process->image_start_ns < 0) /* so has the process */
		return false;
	late |= process->next_is_cut || (!process->quantum_count && !event->at_call);
	process->next_is_cut = false;
	if (late)
		quanta->parts.counters[PS_COUNTER_QUANTUM_BEGUN_LATE]++;
	return !late;
}

static int begin_epoch(struct quanta *quanta, const struct ps_quantum_event *told,
		       const struct identity *identity, struct epoch **ret_epoch)
{
	return told->of_thread
		       ? tracker__on_thread_quantum(quanta->parts.tracker, told, identity,
						    ret_epoch)
		       : tracker__on_quantum(quanta->parts.tracker, told, identity, ret_epoch);
}

int quanta__on_quantum(struct quanta *quanta, const struct ps_quantum_event *told,
		       const struct python_layout *layout)
{
	struct process *process = tracker__find(quanta->parts.tracker, told->event.tgid);
	struct ps_quantum_event event = *told;
	const struct ps_frame_rule *code;
	struct quantum_names names = {0};
	struct identity identity;
	struct epoch *epoch;
	bool whole, over;
	int err;

	if (!process || process->key.start_boot_ns != event.start_boot_ns)
		return 0;
	if (told->of_thread && told->rank == PS_NO_QUANTUM)
		return begin_epoch(quanta, told, NULL, &epoch);
	epoch = tracker__epoch(quanta->parts.tracker, event.epoch);
	if (epoch)
		return event.rank < quanta->rule_count
			       ? name_epoch(quanta, process, epoch, &event, layout)
			       : 0;
	if (event.rank == PS_PENDING_QUANTUM) {
		code = find_code(process, event.code, event.check);
		event.rank = code ? code->rank : PS_NO_QUANTUM;
		/* Its name was another rule's, too: it begins as what it is at the next look. */
		if (code && code->rank != PS_NO_QUANTUM && code->of_thread != told->of_thread) {
			event.rank = PS_NO_QUANTUM;
			process->next_is_cut = true;
		}
		if (event.rank < quanta->rule_count && layout)
			read_locals(process, layout, code, &event);
	}
	if (event.rank >= quanta->rule_count)
		return begin_epoch(quanta, told, NULL, &epoch);
	over = !read_names(quanta, process, layout, &event, &names);
	if (!names.text[FRAME_LABEL])
		count_unread(quanta, over);
	whole = begins_here(quanta, process, &event, told->rank == PS_PENDING_QUANTUM);
	err = identity_of(quanta, process, event.rank, &names, &identity);
	err = err ?: begin_epoch(quanta, told, &identity, &epoch);
	if (!err && epoch) {
		epoch->whole = whole;
		epoch->is_named = names.text[FRAME_LABEL];
		err = write_quantum(quanta, epoch, &names);
	}
	quantum_names__clear(&names);
	return err;
}
