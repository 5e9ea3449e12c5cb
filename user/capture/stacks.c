// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/interleave.h"
#include "capture/remote_walk.h"
#include "model/stack_tree.h"
#include "store/writer.h"

/* Copies that wait for rows: so many at most, and so long. */
#define WAITING_MOST 256
#define WAITING_NS   2000000000ULL

/* The user part of a stack. */
struct user_part {
	uint64_t native[PS_MAX_NATIVE];
	size_t native_count;
	uint32_t native_ending, python_ending;
	bool leaf_eval;
	bool leaf_first; /* native[0] is where the kernel was entered, not a return address */
	struct ps_frame python[PS_MAX_PYTHON];
	int64_t frames[PS_MAX_PYTHON]; /* rows of the Python frames */
	/* … and of the parts of a quantum that they are; 0: of none */
	int64_t parts[PS_MAX_PYTHON];
	size_t python_count;
	bool named; /* all of them are */
};

/* A stack that was copied because its rows were not there. */
struct waiting {
	struct known_stack *stack;
	struct user_part user;
	uint64_t kernel[PS_MAX_KERNEL];
	size_t kernel_count;
	uint64_t since_ns;
	bool copied; /* the copy has come: */
	struct remote_place place;
	uint64_t start; /* address of the copy */
	size_t size;
	uint8_t *bytes;
	struct waiting *next;
};

struct stacks {
	struct stack_tree *tree;
	struct names *names;
	struct unwinder *unwinder;
	struct known_stack *known;
	struct waiting *waiting;
	size_t waiting_count;
	uint32_t sweeps;
};

static const struct {
	const char *name;
	bool ok;
} endings[] = {
#define X(name, text, ok, meaning) {text, ok},
	PS_ENDINGS(X)
#undef X
};

const char *ending__name(uint32_t ending)
{
	return endings[ending < PS_END_COUNT ? ending : PS_END_UNKNOWN].name;
}

struct stacks *stacks__new(struct stack_tree *tree, struct names *names, struct unwinder *unwinder)
{
	struct stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return NULL;
	stacks->tree = tree;
	stacks->names = names;
	stacks->unwinder = unwinder;
	return stacks;
}

static void free_waiting(struct stacks *stacks, struct waiting **at)
{
	struct waiting *waiting = *at;

	*at = waiting->next;
	free(waiting->bytes);
	free(waiting);
	stacks->waiting_count--;
}

void stacks__free(struct stacks *stacks)
{
	struct known_stack *one, *next;

	if (!stacks)
		return;
	while (stacks->waiting)
		free_waiting(stacks, &stacks->waiting);
	HASH_ITER (hh, stacks->known, one, next) {
		HASH_DEL(stacks->known, one);
		free(one);
	}
	free(stacks);
}

void stacks__forget(struct stacks *stacks, struct process *process)
{
	struct waiting **at = &stacks->waiting;
	struct known_stack *one = process->stacks;

	while (*at) {
		if ((*at)->stack->process == process)
			free_waiting(stacks, at);
		else
			at = &(*at)->next;
	}
	while (one) {
		struct known_stack *next = one->next;

		HASH_DEL(stacks->known, one);
		free(one);
		one = next;
	}
	process->stacks = NULL;
}

void stacks__sweep(struct stacks *stacks, struct process *process)
{
	struct known_stack **at = &process->stacks, *one;

	while ((one = *at)) {
		if (stacks->sweeps - one->used < STACKS_KEPT_SWEEPS) {
			stack_tree__use(stacks->tree, one->node);
			at = &one->next;
			continue;
		}
		*at = one->next;
		HASH_DEL(stacks->known, one);
		free(one);
	}
}

void stacks__next_sweep(struct stacks *stacks)
{
	stacks->sweeps++;
}

struct known_stack *stacks__find(struct stacks *stacks, uint64_t hash)
{
	struct known_stack *stack;

	HASH_FIND(hh, stacks->known, &hash, sizeof(hash), stack);
	if (stack)
		stack->used = stacks->sweeps;
	return stack;
}

static struct known_stack *remember(struct stacks *stacks, struct process *process, uint64_t hash)
{
	struct known_stack *stack = stacks__find(stacks, hash);

	if (stack)
		return stack;
	stack = calloc(1, sizeof(*stack));
	if (!stack)
		return NULL;
	stack->hash = hash;
	stack->used = stacks->sweeps;
	stack->process = process;
	HASH_ADD(hh, stacks->known, hash, sizeof(stack->hash), stack);
	if (!stack->hh.tbl) {
		free(stack);
		return NULL;
	}
	stack->next = process->stacks;
	process->stacks = stack;
	return stack;
}

/* --- one stack */

/* Names the frames; those that only tell a part of a quantum become the frame before's. frames may
 * be user->python itself. */
static int name_python(struct stacks *stacks, struct process *process, uint64_t epoch,
		       const struct ps_frame *frames, size_t count, struct user_part *user)
{
	bool told[PS_MAX_PYTHON] = {false}; /* that it is such a part, or no frame */
	size_t at = 0;

	user->named = true;
	for (size_t i = 0; i < count; i++) {
		struct ps_frame frame = frames[i];
		int64_t row = 0;

		if (PS_FRAME_FLAGS(&frame) & PS_FRAME_PART) {
			row = names__part(stacks->names, process, epoch, &frame);
			if (row < 0)
				return (int)row;
			if (!at)
				continue;
			user->parts[at - 1] = row;
			told[at - 1] = true;
			user->python[at - 1].kind |= frame.kind & PS_FRAME_LAST;
			continue;
		}
		if (at == PS_MAX_PYTHON)
			break;
		if (!(PS_FRAME_FLAGS(&frame) & PS_FRAME_NONE))
			row = names__python(stacks->names, process, &frame, &user->named);
		if (row < 0)
			return (int)row;
		user->python[at] = frame;
		user->frames[at] = row;
		told[at] = PS_FRAME_FLAGS(&frame) & PS_FRAME_NONE;
		user->parts[at++] = 0;
	}
	user->python_count = at;
	for (size_t i = 0; i < at; i++) {
		if (!told[i])
			user->parts[i] =
				names__untold_part(stacks->names, process, &user->python[i]);
		if (user->parts[i] < 0)
			return (int)user->parts[i];
	}
	return 0;
}

/* The one ending of a stack whose two walks ended each in its own way. */
static enum ps_ending ending_of(const struct process *process, const struct user_part *user,
				bool mismatch)
{
	uint32_t native = user->native_ending, python = user->python_ending;

	if (native >= PS_END_COUNT || python >= PS_END_COUNT)
		return PS_END_UNKNOWN;
	if (native != PS_END_NATIVE)
		return (enum ps_ending)native; /* the Python walk's is the same, or less bad */
	if (!endings[python].ok)
		return (enum ps_ending)python;
	if (mismatch)
		return PS_END_PY_MISMATCH;
	if (python == PS_END_PYTHON && !user->named)
		return PS_END_UNNAMED;
	if (python == PS_END_NATIVE && process->python)
		return PS_END_PY_NOT_YET;
	return (enum ps_ending)python;
}

static int64_t push(struct stacks *stacks, int64_t node, int64_t frame)
{
	return frame < 0 ? frame : stack_tree__push(stacks->tree, node, frame);
}

/* The address whose function and line count: of a caller, its call's. */
static uint64_t native_address(const struct user_part *user, uint32_t index)
{
	uint64_t address = PS_NATIVE_ADDRESS(user->native[index]);
	bool is_caller = index || !user->leaf_first;

	return address && is_caller ? address - 1 : address;
}

/* The node of the user part, outermost frame first, and how the stack ended. */
static int64_t user_node(struct stacks *stacks, struct process *process,
			 const struct user_part *user, uint64_t now_ns, enum ps_ending *ret_ending)
{
	const struct walked_stack walked = {
		.native = user->native,
		.native_count = user->native_count,
		.python = user->python,
		.python_count = user->python_count,
		.leaf_eval = user->leaf_eval,
		.native_whole = user->native_ending == PS_END_NATIVE,
		.python_whole =
			user->python_ending < PS_END_COUNT && endings[user->python_ending].ok,
	};
	struct mixed_frame frames[PS_MAX_NATIVE + PS_MAX_PYTHON];
	bool mismatch;
	size_t count = interleave(&walked, frames, &mismatch);
	int64_t node = 0;

	while (count-- > 0 && node >= 0) {
		const struct mixed_frame *frame = &frames[count];

		if (frame->python && user->parts[frame->index])
			node = push(stacks, node, user->parts[frame->index]);
		if (node < 0)
			break;
		if (frame->python)
			node = push(stacks, node, user->frames[frame->index]);
		else
			node = push(stacks, node,
				    names__native(stacks->names, process,
						  native_address(user, frame->index), now_ns));
	}
	*ret_ending = ending_of(process, user, mismatch);
	return node;
}

static int settle(struct stacks *stacks, struct known_stack *stack, const struct user_part *user,
		  const uint64_t *kernel, size_t kernel_count, uint64_t now_ns)
{
	int64_t node = user_node(stacks, stack->process, user, now_ns, &stack->ending);

	while (kernel_count-- > 0 && node >= 0)
		node = push(stacks, node, names__kernel(stacks->names, kernel[kernel_count]));
	if (node < 0)
		return (int)node;
	stack->node = node;
	return 0;
}

static int wait_for_copy(struct stacks *stacks, struct known_stack *stack,
			 const struct user_part *user, const uint64_t *kernel, size_t kernel_count,
			 uint64_t now_ns)
{
	struct waiting *waiting;

	if (stacks->waiting_count == WAITING_MOST)
		return 0;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting)
		return -ENOMEM;
	waiting->stack = stack;
	waiting->user = *user;
	waiting->kernel_count = kernel_count;
	memcpy(waiting->kernel, kernel, kernel_count * sizeof(*kernel));
	waiting->since_ns = now_ns;
	waiting->next = stacks->waiting;
	stacks->waiting = waiting;
	stacks->waiting_count++;
	return 0;
}

int stacks__on_stack(struct stacks *stacks, struct process *process,
		     const struct ps_stack_event *event, const uint64_t *words)
{
	const uint64_t *native = words + event->kernel_frames;
	struct user_part user = {
		.native_count = event->native_frames,
		.native_ending = event->native_ending,
		.python_ending = event->python_ending,
		.leaf_eval = event->leaf_eval,
		.leaf_first = event->leaf_kernel,
	};
	struct ps_frame python[PS_MAX_PYTHON + PS_MAX_PARTS];
	struct known_stack *stack;
	int err;

	if (event->kernel_frames > PS_MAX_KERNEL || event->native_frames > PS_MAX_NATIVE ||
	    event->python_frames > PS_MAX_PYTHON + PS_MAX_PARTS)
		return 0;
	memcpy(user.native, native, user.native_count * sizeof(*native));
	memcpy(python, native + user.native_count, event->python_frames * sizeof(python[0]));
	/* First of all: code objects may be gone soon. */
	err = name_python(stacks, process, event->epoch, python, event->python_frames, &user);
	if (err)
		return err;
	stack = remember(stacks, process, event->hash);
	if (!stack)
		return -ENOMEM;
	stack->leaf_kernel = event->leaf_kernel;
	err = settle(stacks, stack, &user, words, event->kernel_frames, event->event.time_ns);
	if (!err && event->copied)
		err = wait_for_copy(stacks, stack, &user, words, event->kernel_frames,
				    event->event.time_ns);
	return err;
}

/* --- copies */

struct copied_memory {
	struct memory memory; /* first: a struct memory * is this object */
	const struct waiting *waiting;
};

static int read_copy(const struct memory *memory, uint64_t address, void *destination, size_t size)
{
	const struct waiting *waiting = ((const struct copied_memory *)memory)->waiting;
	uint64_t offset = address - waiting->start;

	if (offset > waiting->size || size > waiting->size - offset)
		return -EFAULT;
	memcpy(destination, waiting->bytes + offset, size);
	return 0;
}

/* Walks a copied stack on. true: it will not get better. */
static bool walk_copy(struct stacks *stacks, struct waiting *waiting, uint64_t now_ns)
{
	const struct copied_memory memory = {{read_copy}, waiting};
	const struct unwind_space *space = waiting->stack->process->space;
	const struct remote_rows rows = unwinder__rows(stacks->unwinder, space);
	struct user_part *user = &waiting->user;
	/* The last frame that is known is the one that had no rule; with none it is the leaf. */
	size_t known = user->native_count ? user->native_count - 1 : 0, count;
	uint64_t words[PS_MAX_NATIVE];
	uint32_t ending = remote_walk__native(&memory.memory, &rows, &waiting->place, words,
					      PS_MAX_NATIVE - known, &count);

	if (PS_END_MAY_GO_ON(ending) && now_ns - waiting->since_ns < WAITING_NS)
		return false;
	if (user->native_count) {
		memcpy(&user->native[known], words, count * sizeof(words[0]));
		user->native_count = known + count;
	} else {
		user->leaf_eval = words[0] & PS_NATIVE_EVAL;
		memcpy(user->native, words + 1, (count - 1) * sizeof(words[0]));
		user->native_count = count - 1;
	}
	user->native_ending = ending;
	return true;
}

int stacks__retry(struct stacks *stacks, uint64_t now_ns)
{
	struct waiting **at = &stacks->waiting;
	int err = 0;

	while (*at && !err) {
		struct waiting *waiting = *at;

		if (waiting->copied && walk_copy(stacks, waiting, now_ns)) {
			err = settle(stacks, waiting->stack, &waiting->user, waiting->kernel,
				     waiting->kernel_count, now_ns);
			free_waiting(stacks, at);
		} else if (now_ns - waiting->since_ns > WAITING_NS) {
			free_waiting(stacks, at);
		} else {
			at = &waiting->next;
		}
	}
	return err;
}

int stacks__on_copy(struct stacks *stacks, const struct ps_stack_copy_event *event,
		    const void *bytes)
{
	struct waiting *waiting = stacks->waiting;

	while (waiting && (waiting->copied || waiting->stack->hash != event->hash))
		waiting = waiting->next;
	if (!waiting || event->bytes > PS_STACK_COPY)
		return 0;
	waiting->bytes = malloc(event->bytes + 1);
	if (!waiting->bytes)
		return -ENOMEM;
	memcpy(waiting->bytes, bytes, event->bytes);
	waiting->size = event->bytes;
	waiting->start = event->rsp;
	waiting->place = (struct remote_place){
		.rip = event->rip,
		.rsp = event->rsp,
		.rbp = event->rbp,
		.is_caller = event->is_caller,
		.rbp_lost = event->rbp_lost,
	};
	waiting->copied = true;
	return 0;
}

/* --- leaves and sleepers */

int64_t stacks__leaf(struct stacks *stacks, struct process *process,
		     const struct known_stack *stack, uint64_t leaf, uint64_t now_ns)
{
	if (!leaf) /* it is in the stack */
		return stack->node ? stack->node : ROW_NULL;
	return push(stacks, stack->node,
		    stack->leaf_kernel ? names__kernel(stacks->names, leaf)
				       : names__native(stacks->names, process, leaf, now_ns));
}

int64_t stacks__sleeper(struct stacks *stacks, struct process *process,
			const struct ps_task_event *task, enum ps_ending *ret_ending)
{
	const struct process_memory memory = process_memory__of((pid_t)process->key.tgid);
	const struct remote_rows rows = unwinder__rows(stacks->unwinder, process->space);
	const struct remote_place place = {task->user_ip, task->user_sp, task->user_bp, false,
					   false};
	struct user_part user = {.python_ending = PS_END_NATIVE, .leaf_first = true};
	struct ps_py_offsets layout;
	int64_t node;
	int err;

	if (names__layout(process, &layout))
		user.python_ending = remote_walk__python(&memory.memory, task->fs_base, &layout,
							 process->python_process.runtime,
							 user.python, &user.python_count);
	user.native_ending = remote_walk__native(&memory.memory, &rows, &place, user.native,
						 PS_MAX_NATIVE, &user.native_count);
	err = name_python(stacks, process, task->epoch, user.python, user.python_count, &user);
	if (err)
		return err;
	node = user_node(stacks, process, &user, task->event.time_ns, ret_ending);
	return node ? node : ROW_NULL;
}
