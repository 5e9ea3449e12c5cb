// SPDX-License-Identifier: GPL-2.0-or-later
/* The C side of mixed.py. The functions that are to be seen are never inlined, cloned or left by a
 * tail call. */
#include "shadow.h"

#define SEEN	 __attribute__((noinline, noclone, used))
#define BARRIER	 __asm__ volatile("" ::: "memory") /* what stands before a return: no tail call */
#define BURN	 700000
#define MAX_SORT 256

enum leaf { LEAF_DEEP, LEAF_DYNAMIC, LEAF_COUNT };

static const char *const leaf_names[] = {"c_leaf_deep", "c_leaf_dynamic"};
static long long leaf_ns[LEAF_COUNT];
static long leaf_calls[LEAF_COUNT];
static PyObject *describe;

static int begin_leaf(enum leaf leaf, long long *ret_begin)
{
	if (shadow_on) {
		PyObject *nothing = PyObject_CallFunction(describe, "s", leaf_names[leaf]);

		if (!nothing)
			return -1;
		Py_DECREF(nothing);
	}
	*ret_begin = shadow_clock(CLOCK_THREAD_CPUTIME_ID);
	return 0;
}

static void end_leaf(enum leaf leaf, long long begin)
{
	leaf_ns[leaf] += shadow_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
	leaf_calls[leaf]++;
}

/* Large frames and none at all, with registers to save: rules of several kinds. */
SEEN static int c_leaf_deep(void)
{
	int shadow = shadow_enter("c_leaf_deep"), err;
	volatile unsigned long value = 1;
	long long begin = 0;

	err = begin_leaf(LEAF_DEEP, &begin);
	if (!err) {
		for (unsigned long i = 0; i < BURN; i++)
			value = value * 6364136223846793005UL + i;
		end_leaf(LEAF_DEEP, begin);
	}
	shadow_leave(shadow);
	BARRIER;
	return err;
}

SEEN static int c_leaf_dynamic(size_t words)
{
	int shadow = shadow_enter("c_leaf_dynamic"), err;
	unsigned long array[words]; /* a frame whose size only rbp knows */
	volatile unsigned long *cells = array;
	long long begin = 0;

	err = begin_leaf(LEAF_DYNAMIC, &begin);
	if (!err) {
		for (unsigned long i = 0; i < BURN; i++)
			cells[i % words] = i * i;
		end_leaf(LEAF_DYNAMIC, begin);
	}
	shadow_leave(shadow);
	BARRIER;
	return err;
}

SEEN static PyObject *call_back(PyObject *function)
{
	int shadow = shadow_enter("call_back");
	PyObject *result = PyObject_CallObject(function, NULL);

	shadow_leave(shadow);
	BARRIER;
	return result;
}

SEEN static PyObject *level_two(PyObject *function)
{
	volatile char padding[3000];
	int shadow = shadow_enter("level_two");
	PyObject *result;

	padding[2999] = 1;
	result = call_back(function);
	padding[0] = padding[2999];
	shadow_leave(shadow);
	BARRIER;
	return result;
}

SEEN static PyObject *level_one(PyObject *function)
{
	int shadow = shadow_enter("level_one");
	PyObject *result = level_two(function);

	shadow_leave(shadow);
	BARRIER;
	return result;
}

/* The function is called with C on the stack: descend(function). */
static PyObject *ext_descend(PyObject *module, PyObject *function)
{
	PyObject *result = level_one(function);

	(void)module;
	BARRIER;
	return result;
}

SEEN static int compare(PyObject *function, PyObject *one, PyObject *other)
{
	int shadow = shadow_enter("compare");
	PyObject *result = PyObject_CallFunctionObjArgs(function, one, other, NULL);
	long value = result ? PyLong_AsLong(result) : -1;

	Py_XDECREF(result);
	shadow_leave(shadow);
	BARRIER;
	return (int)value;
}

SEEN static void quick_sort(PyObject **items, long count, PyObject *function)
{
	int shadow = shadow_enter("quick_sort");

	if (count > 1 && !PyErr_Occurred()) {
		long low = 0, high = count - 1;
		PyObject *pivot = items[count / 2];

		while (low <= high) {
			while (compare(function, items[low], pivot) < 0)
				low++;
			while (compare(function, pivot, items[high]) < 0)
				high--;
			if (low <= high) {
				PyObject *item = items[low];

				items[low++] = items[high];
				items[high--] = item;
			}
		}
		quick_sort(items, high + 1, function);
		quick_sort(items + low, count - low, function);
	}
	shadow_leave(shadow);
	BARRIER;
}

/* sort(list, compare): a copy is sorted and thrown away. */
static PyObject *ext_sort(PyObject *module, PyObject *arguments)
{
	PyObject *items[MAX_SORT], *list, *function;
	long count;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "O!O", &PyList_Type, &list, &function))
		return NULL;
	count = (long)PyList_Size(list);
	if (count > MAX_SORT)
		return PyErr_Format(PyExc_ValueError, "at most %d items", MAX_SORT);
	for (long i = 0; i < count; i++)
		items[i] = PyList_GetItem(list, i);
	quick_sort(items, count, function);
	if (PyErr_Occurred())
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *ext_burn_deep(PyObject *module, PyObject *nothing)
{
	(void)module;
	(void)nothing;
	if (c_leaf_deep())
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *ext_burn_dynamic(PyObject *module, PyObject *nothing)
{
	(void)module;
	(void)nothing;
	if (c_leaf_dynamic(500))
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *ext_shadow(PyObject *module, PyObject *nothing)
{
	(void)module;
	(void)nothing;
	return shadow_list_of(shadow_entries, shadow_count);
}

/* note(on): whether functions note that they are entered. */
static PyObject *ext_note(PyObject *module, PyObject *on)
{
	(void)module;
	shadow_on = PyObject_IsTrue(on);
	shadow_count = 0;
	Py_RETURN_NONE;
}

/* hooks(depth, describe) */
static PyObject *ext_hooks(PyObject *module, PyObject *arguments)
{
	(void)module;
	if (!PyArg_ParseTuple(arguments, "OO", &shadow_depth, &describe))
		return NULL;
	Py_INCREF(shadow_depth);
	Py_INCREF(describe);
	Py_RETURN_NONE;
}

/* [(leaf, ns, calls)] */
static PyObject *ext_measured(PyObject *module, PyObject *nothing)
{
	PyObject *list = PyList_New(LEAF_COUNT);

	(void)module;
	(void)nothing;
	for (int i = 0; list && i < LEAF_COUNT; i++) {
		PyObject *item = Py_BuildValue("(sLl)", leaf_names[i], leaf_ns[i], leaf_calls[i]);

		if (!item || PyList_SetItem(list, i, item))
			Py_CLEAR(list);
	}
	return list;
}

static PyMethodDef methods[] = {
	{"descend", ext_descend, METH_O, NULL},
	{"sort", ext_sort, METH_VARARGS, NULL},
	{"burn_deep", ext_burn_deep, METH_NOARGS, NULL},
	{"burn_dynamic", ext_burn_dynamic, METH_NOARGS, NULL},
	{"shadow", ext_shadow, METH_NOARGS, NULL},
	{"note", ext_note, METH_O, NULL},
	{"hooks", ext_hooks, METH_VARARGS, NULL},
	{"measured", ext_measured, METH_NOARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "mixed_ext",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit_mixed_ext(void);
PyMODINIT_FUNC PyInit_mixed_ext(void)
{
	return PyModule_Create(&definition);
}
