// SPDX-License-Identifier: GPL-2.0-or-later
/* The C++ side of cxx.py: templates, virtual calls, exceptions through many frames, destructors
 * that work while the stack is unwound, std::sort with a Python comparator, threads with and
 * without Python. Functions that are to be seen are never inlined, cloned or left by a tail call.
 */
#include "shadow.h"

#include <algorithm>
#include <condition_variable>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>
#include <vector>

#define SEEN	__attribute__((noinline, noclone, used))
#define BARRIER __asm__ volatile("" ::: "memory")

namespace
{

constexpr long burn_loops = 700000;

enum leaf {
	LEAF_TEMPLATE,
	LEAF_VIRTUAL,
	LEAF_FUNCTION,
	LEAF_CATCH,
	LEAF_DESTRUCTOR,
	LEAF_THREAD,
	LEAF_THREAD_NATIVE,
	LEAF_SLEEP,
	LEAF_READ,
	LEAF_WAIT,
	LEAF_COUNT
};

const char *const leaf_names[] = {
	"template_leaf", "virtual_leaf",       "function_leaf", "catch_leaf", "destructor_leaf",
	"thread_leaf",	 "thread_native_leaf", "sleep_leaf",	"read_leaf",  "wait_leaf"};
std::mutex leaf_lock;
long long leaf_ns[LEAF_COUNT];
long leaf_calls[LEAF_COUNT];
std::vector<shadow_entry> leaf_shadows[LEAF_COUNT]; /* of leaves in threads without Python */
PyObject *describe;

/* A Python function failed below. */
struct python_error : std::runtime_error {
	python_error() : std::runtime_error("Python")
	{
	}
};

class noted
{
      public:
	explicit noted(const char *name) : before(shadow_enter(name))
	{
	}
	~noted()
	{
		shadow_leave(before);
	}
	noted(const noted &) = delete;
	noted &operator=(const noted &) = delete;

      private:
	int before;
};

/* Nanoseconds that this thread was ready to run, but did not: no waiting in the sense of the
 * leaves. */
long long run_delay()
{
	long long cpu = 0, delay = 0;
	FILE *stream = fopen("/proc/thread-self/schedstat", "r");

	if (!stream || fscanf(stream, "%lld %lld", &cpu, &delay) != 2)
		std::terminate();
	fclose(stream);
	return delay;
}

/* Around the work of a leaf. clock: CPU time, or for what waits the time that passes. */
class measured
{
      public:
	explicit measured(leaf which, clockid_t clock = CLOCK_THREAD_CPUTIME_ID)
	    : which(which), clock(clock)
	{
		if (shadow_on && shadow_no_python)
			leaf_shadows[which].assign(shadow_entries, shadow_entries + shadow_count);
		else if (shadow_on)
			Py_XDECREF(PyObject_CallFunction(describe, "s", leaf_names[which]));
		if (clock == CLOCK_MONOTONIC)
			delay = run_delay();
		begin = shadow_clock(clock);
	}
	~measured()
	{
		long long ns = shadow_clock(clock) - begin;

		if (clock == CLOCK_MONOTONIC)
			ns -= run_delay() - delay;
		std::lock_guard<std::mutex> lock(leaf_lock);

		leaf_ns[which] += ns;
		leaf_calls[which]++;
	}
	measured(const measured &) = delete;
	measured &operator=(const measured &) = delete;

      private:
	leaf which;
	clockid_t clock;
	long long begin, delay = 0;
};

template <typename Number> inline Number burn(Number value)
{
	volatile Number sum = value;

	for (long i = 0; i < burn_loops; i++)
		sum = sum * 3 + (Number)i;
	return sum;
}

SEEN void call_python(PyObject *function)
{
	noted here("call_python");
	PyObject *result = PyObject_CallObject(function, nullptr);

	if (!result)
		throw python_error();
	Py_DECREF(result);
	BARRIER;
}

/* --- templates */

template <typename Number> SEEN Number template_leaf(Number value)
{
	noted here("template_leaf<double>");
	measured leaf(LEAF_TEMPLATE);

	return burn(value);
}

template <int level> SEEN double descend(double value)
{
	noted here(level == 1 ? "descend<1>" : level == 2 ? "descend<2>" : "descend<3>");
	double result = descend<level - 1>(value + level);

	BARRIER;
	return result;
}

template <> SEEN double descend<0>(double value)
{
	noted here("descend<0>");
	double result = template_leaf<double>(value);

	BARRIER;
	return result;
}

/* --- virtual calls */

class shape
{
      public:
	virtual ~shape() = default;
	virtual unsigned long area(unsigned long scale) = 0;
};

class square : public shape
{
      public:
	SEEN unsigned long area(unsigned long scale) override
	{
		noted here("area");
		unsigned long result = virtual_leaf(scale);

		BARRIER;
		return result;
	}

      private:
	SEEN unsigned long virtual_leaf(unsigned long scale)
	{
		noted here("virtual_leaf");
		measured leaf(LEAF_VIRTUAL);

		return burn(scale + side);
	}
	unsigned long side = 3;
};

SEEN unsigned long measure_shapes(const std::vector<std::unique_ptr<shape>> &shapes)
{
	noted here("measure_shapes");
	unsigned long sum = 0;

	for (const auto &one : shapes)
		sum += one->area(sum);
	BARRIER;
	return sum;
}

/* --- std::function */

SEEN int function_leaf(int value)
{
	noted here("function_leaf");
	measured leaf(LEAF_FUNCTION);

	return (int)burn((unsigned)value);
}

SEEN int apply(const std::function<int(int)> &function)
{
	noted here("apply");
	int result = function(1);

	BARRIER;
	return result;
}

/* --- exceptions */

SEEN void destructor_leaf()
{
	noted here("destructor_leaf");
	measured leaf(LEAF_DESTRUCTOR);

	burn(1u);
}

struct worker {
	SEEN ~worker()
	{
		noted here("~worker");

		destructor_leaf();
		BARRIER;
	}
};

SEEN void catch_leaf(const std::exception &error)
{
	noted here("catch_leaf");
	measured leaf(LEAF_CATCH);

	burn((unsigned long)error.what()[0]);
}

SEEN void thrower(int level)
{
	if (level == 0)
		throw std::out_of_range("at the bottom");
	thrower(level - 1);
	BARRIER;
}

/* Its worker does its work while the exception passes. */
SEEN void passed_by(int level)
{
	noted here("passed_by");
	worker one;

	thrower(level);
	BARRIER;
}

SEEN void catcher(int level)
{
	noted here("catcher");

	try {
		thrower(level);
	} catch (const std::exception &error) {
		catch_leaf(error);
	}
	BARRIER;
}

SEEN void cleaner(int level)
{
	noted here("cleaner");

	try {
		passed_by(level);
	} catch (const std::exception &error) {
		BARRIER;
	}
	BARRIER;
}

/* --- std::sort */

SEEN bool ask_python(PyObject *function, PyObject *one, PyObject *other)
{
	noted here("ask_python");
	PyObject *result = PyObject_CallFunctionObjArgs(function, one, other, nullptr);
	bool less;

	if (!result)
		throw python_error();
	less = PyObject_IsTrue(result);
	Py_DECREF(result);
	BARRIER;
	return less;
}

SEEN void sort_items(std::vector<PyObject *> &items, PyObject *function)
{
	noted here("sort_items");

	std::sort(items.begin(), items.end(), [function](PyObject *one, PyObject *other) {
		return ask_python(function, one, other);
	});
	BARRIER;
}

/* --- threads */

SEEN void thread_native_leaf(unsigned long value)
{
	noted here("thread_native_leaf");
	measured leaf(LEAF_THREAD_NATIVE);

	for (int i = 0; i < 8; i++)
		value = burn(value);
	BARRIER;
}

SEEN void native_thread(unsigned long value)
{
	shadow_no_python = 1;
	noted here("native_thread");

	thread_native_leaf(value);
	BARRIER;
}

/* Called by the Python function that python_thread() calls. */
SEEN void thread_leaf()
{
	noted here("thread_leaf");
	measured leaf(LEAF_THREAD);

	burn(1ul);
	BARRIER;
}

SEEN void python_thread(PyObject *function)
{
	PyGILState_STATE state = PyGILState_Ensure();
	{
		noted here("python_thread");

		try {
			call_python(function);
		} catch (const python_error &) {
			PyErr_Print();
		}
	}
	PyGILState_Release(state);
	BARRIER;
}

/* --- what waits; all of it without the interpreter's lock */

SEEN void sleep_leaf()
{
	noted here("sleep_leaf");
	measured leaf(LEAF_SLEEP, CLOCK_MONOTONIC);

	Py_BEGIN_ALLOW_THREADS;
	usleep(20000);
	Py_END_ALLOW_THREADS;
	BARRIER;
}

/* Of a timer that has nothing to say for 15 ms. */
SEEN void read_leaf()
{
	noted here("read_leaf");
	const itimerspec after = {{0, 0}, {0, 15000000}};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t count;

	if (timer < 0 || timerfd_settime(timer, 0, &after, nullptr))
		throw std::runtime_error("timerfd");
	{
		measured leaf(LEAF_READ, CLOCK_MONOTONIC);

		Py_BEGIN_ALLOW_THREADS;
		if (read(timer, &count, sizeof(count)) != sizeof(count))
			std::terminate();
		Py_END_ALLOW_THREADS;
	}
	close(timer);
	BARRIER;
}

SEEN void wait_leaf()
{
	noted here("wait_leaf");
	measured leaf(LEAF_WAIT, CLOCK_MONOTONIC);
	std::mutex mutex;
	std::condition_variable never;

	Py_BEGIN_ALLOW_THREADS;
	{
		std::unique_lock<std::mutex> lock(mutex);

		never.wait_for(lock, std::chrono::milliseconds(10));
	}
	Py_END_ALLOW_THREADS;
	BARRIER;
}

/* --- for Python */

template <typename Function> PyObject *run(Function function)
{
	try {
		function();
	} catch (const python_error &) {
		return nullptr;
	} catch (const std::exception &error) {
		PyErr_SetString(PyExc_RuntimeError, error.what());
		return nullptr;
	}
	Py_RETURN_NONE;
}

PyObject *ext_template(PyObject *, PyObject *)
{
	return run([] { descend<3>(1); });
}

PyObject *ext_virtual(PyObject *, PyObject *)
{
	return run([] {
		std::vector<std::unique_ptr<shape>> shapes;

		shapes.push_back(std::make_unique<square>());
		shapes.push_back(std::make_unique<square>());
		measure_shapes(shapes);
	});
}

PyObject *ext_function(PyObject *, PyObject *)
{
	return run([] { apply(function_leaf); });
}

PyObject *ext_catch(PyObject *, PyObject *)
{
	return run([] { catcher(12); });
}

PyObject *ext_clean(PyObject *, PyObject *)
{
	return run([] { cleaner(12); });
}

PyObject *ext_call(PyObject *, PyObject *function)
{
	return run([function] { call_python(function); });
}

PyObject *ext_sort(PyObject *, PyObject *arguments)
{
	PyObject *list, *function;

	if (!PyArg_ParseTuple(arguments, "O!O", &PyList_Type, &list, &function))
		return nullptr;
	return run([list, function] {
		std::vector<PyObject *> items;

		for (Py_ssize_t i = 0; i < PyList_Size(list); i++)
			items.push_back(PyList_GetItem(list, i));
		sort_items(items, function);
	});
}

PyObject *ext_thread(PyObject *, PyObject *)
{
	std::thread thread(native_thread, 1ul);

	Py_BEGIN_ALLOW_THREADS;
	thread.join();
	Py_END_ALLOW_THREADS;
	Py_RETURN_NONE;
}

PyObject *ext_python_thread(PyObject *, PyObject *function)
{
	std::thread thread(python_thread, function);

	Py_BEGIN_ALLOW_THREADS;
	thread.join();
	Py_END_ALLOW_THREADS;
	Py_RETURN_NONE;
}

PyObject *ext_thread_burn(PyObject *, PyObject *)
{
	return run(thread_leaf);
}

PyObject *ext_sleep(PyObject *, PyObject *)
{
	return run(sleep_leaf);
}

PyObject *ext_read(PyObject *, PyObject *)
{
	return run(read_leaf);
}

PyObject *ext_wait(PyObject *, PyObject *)
{
	return run(wait_leaf);
}

PyObject *ext_shadow(PyObject *, PyObject *)
{
	return shadow_list_of(shadow_entries, shadow_count);
}

PyObject *ext_note(PyObject *, PyObject *on)
{
	shadow_on = PyObject_IsTrue(on);
	shadow_count = 0;
	Py_RETURN_NONE;
}

PyObject *ext_hooks(PyObject *, PyObject *arguments)
{
	if (!PyArg_ParseTuple(arguments, "OO", &shadow_depth, &describe))
		return nullptr;
	Py_INCREF(shadow_depth);
	Py_INCREF(describe);
	Py_RETURN_NONE;
}

/* [(leaf, ns, calls, shadow of a leaf without Python)] */
PyObject *ext_measured(PyObject *, PyObject *)
{
	PyObject *list = PyList_New(0);

	for (int i = 0; list && i < LEAF_COUNT; i++) {
		PyObject *shadow =
			shadow_list_of(leaf_shadows[i].data(), (int)leaf_shadows[i].size());
		PyObject *item =
			Py_BuildValue("(sLlN)", leaf_names[i], leaf_ns[i], leaf_calls[i], shadow);

		if (!item || PyList_Append(list, item))
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

PyMethodDef methods[] = {
	{"template", ext_template, METH_NOARGS, nullptr},
	{"virtual", ext_virtual, METH_NOARGS, nullptr},
	{"function", ext_function, METH_NOARGS, nullptr},
	{"catch_", ext_catch, METH_NOARGS, nullptr},
	{"clean", ext_clean, METH_NOARGS, nullptr},
	{"call", ext_call, METH_O, nullptr},
	{"sort", ext_sort, METH_VARARGS, nullptr},
	{"thread", ext_thread, METH_NOARGS, nullptr},
	{"python_thread", ext_python_thread, METH_O, nullptr},
	{"thread_burn", ext_thread_burn, METH_NOARGS, nullptr},
	{"sleep", ext_sleep, METH_NOARGS, nullptr},
	{"read", ext_read, METH_NOARGS, nullptr},
	{"wait", ext_wait, METH_NOARGS, nullptr},
	{"shadow", ext_shadow, METH_NOARGS, nullptr},
	{"note", ext_note, METH_O, nullptr},
	{"hooks", ext_hooks, METH_VARARGS, nullptr},
	{"measured", ext_measured, METH_NOARGS, nullptr},
	{nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "cxx_ext", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

} // namespace

PyMODINIT_FUNC PyInit_cxx_ext()
{
	return PyModule_Create(&definition);
}
