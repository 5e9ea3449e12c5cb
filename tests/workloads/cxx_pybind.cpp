// SPDX-License-Identifier: GPL-2.0-or-later
/* The pybind11 variant of cxx.py's extension: a class with methods, a std::function that is a
 * Python function, and an exception that crosses from Python through C++ into Python. */
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>

#include "shadow.h"

#include <functional>
#include <stdexcept>

#define SEEN	__attribute__((noinline, noclone, used))
#define BARRIER __asm__ volatile("" ::: "memory")

namespace py = pybind11;

namespace
{

constexpr long burn_loops = 700000;

PyObject *describe;
long long leaf_ns;
long leaf_calls;

class exposure
{
      public:
	SEEN long integrate(long loops)
	{
		int before = shadow_enter("integrate");
		long result = bound_leaf(loops);

		shadow_leave(before);
		BARRIER;
		return result;
	}

	SEEN long transform(const std::function<long(long)> &function)
	{
		int before = shadow_enter("transform");
		long result;

		try {
			result = function(1);
		} catch (py::error_already_set &error) {
			if (!error.matches(PyExc_KeyError))
				throw;
			result = after_error(function);
		}
		shadow_leave(before);
		BARRIER;
		return result;
	}

      private:
	SEEN long after_error(const std::function<long(long)> &function)
	{
		int before = shadow_enter("after_error");
		long result = function(2);

		shadow_leave(before);
		BARRIER;
		return result;
	}

	SEEN long bound_leaf(long loops)
	{
		int before = shadow_enter("bound_leaf");
		volatile long sum = 0;
		long long begin;

		if (shadow_on)
			Py_XDECREF(PyObject_CallFunction(describe, "s", "bound_leaf"));
		begin = shadow_clock(CLOCK_THREAD_CPUTIME_ID);
		for (long i = 0; i < loops; i++)
			sum = sum + i * i;
		leaf_ns += shadow_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
		leaf_calls++;
		shadow_leave(before);
		return sum;
	}
};

} // namespace

PYBIND11_MODULE(cxx_pybind, module)
{
	py::class_<exposure>(module, "Exposure")
		.def(py::init<>())
		.def("integrate", [](exposure &self) { return self.integrate(burn_loops); })
		.def("transform", &exposure::transform);
	module.def("shadow", [] {
		return py::reinterpret_steal<py::object>(
			shadow_list_of(shadow_entries, shadow_count));
	});
	module.def("note", [](bool on) {
		shadow_on = on;
		shadow_count = 0;
	});
	module.def("hooks", [](py::object depth, py::object describer) {
		shadow_depth = depth.release().ptr();
		describe = describer.release().ptr();
	});
	module.def("measured", [] {
		py::list list;

		list.append(py::make_tuple("bound_leaf", leaf_ns, leaf_calls, py::list()));
		return list;
	});
}
