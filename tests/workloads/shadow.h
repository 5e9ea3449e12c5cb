/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a C or C++ extension knows about its own place on the stack: each of its functions notes its
 * name, and how many Python frames there were when it was entered. Only while a stack is being
 * described (see chains.py); the interpreter's lock is held, or there is no Python in the thread.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <Python.h>
#include <string.h>
#include <time.h>

#define SHADOW_MAX 128

struct shadow_entry {
	const char *name;
	long python_frames;
};

static __thread struct shadow_entry shadow_entries[SHADOW_MAX];
static __thread int shadow_count;
static __thread int shadow_no_python; /* this thread must not touch Python */
static volatile int shadow_on;
static PyObject *shadow_depth; /* returns the number of Python frames of the calling thread */

static long shadow_python_frames(void)
{
	PyObject *depth;
	long value;

	if (shadow_no_python)
		return 0;
	depth = PyObject_CallObject(shadow_depth, NULL);
	value = depth ? PyLong_AsLong(depth) : -1;
	Py_XDECREF(depth);
	return value;
}

/* Returns what shadow_leave() needs. A function that calls itself is noted once. */
static int shadow_enter(const char *name)
{
	int before = shadow_count;
	long frames;

	if (!shadow_on || shadow_count == SHADOW_MAX)
		return before;
	frames = shadow_python_frames();
	if (before && !strcmp(shadow_entries[before - 1].name, name) &&
	    shadow_entries[before - 1].python_frames == frames)
		return before;
	shadow_entries[shadow_count].name = name;
	shadow_entries[shadow_count++].python_frames = frames;
	return before;
}

static void shadow_leave(int before)
{
	shadow_count = before;
}

static PyObject *shadow_list_of(const struct shadow_entry *entries, int count)
{
	PyObject *list = PyList_New(0);

	for (int i = 0; list && i < count; i++) {
		PyObject *pair = Py_BuildValue("(sl)", entries[i].name, entries[i].python_frames);

		if (!pair || PyList_Append(list, pair))
			Py_CLEAR(list);
		Py_XDECREF(pair);
	}
	return list;
}

static inline long long shadow_clock(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

#endif
