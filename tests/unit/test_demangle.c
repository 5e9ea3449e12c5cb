// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols base
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "symbols/demangle.h"

static const struct {
	const char *raw, *demangled, *shortened;
} names[] = {
	{"main", NULL, "main"},
	{"", NULL, ""},
	{"_Zebra", NULL, "_Zebra"},
	{"_ZN3foo3barEi", "foo::bar(int)", "foo::bar(…)"},
	{"_ZN3foo3barEv", "foo::bar()", "foo::bar()"},
	{"_ZNK3FooIiE3barIcEEvRKS_IT_E", "void Foo<int>::bar<char>(Foo<char> const&) const",
	 "void Foo<…>::bar<…>(…) const"},
	{"_ZNSt6vectorISt4pairIiSsESaIS1_EE9push_backERKS1_",
	 "std::vector<std::pair<int, std::string>, std::allocator<std::pair<int, std::string> > >"
	 "::push_back(std::pair<int, std::string> const&)",
	 "std::vector<…>::push_back(…)"},
	{"_ZlsRSoi", "operator<<(std::ostream&, int)", "operator<<(…)"},
	{"_ZltI1AEbRKT_S3_", "bool operator< <A>(A const&, A const&)", "bool operator< <…>(…)"},
	{"_ZN1AltERKS_", "A::operator<(A const&)", "A::operator<(…)"},
	{"_ZN1AgtERKS_", "A::operator>(A const&)", "A::operator>(…)"},
	{"_ZN1AclEi", "A::operator()(int)", "A::operator()(…)"},
	{"_ZN1AclIiEEvT_", "void A::operator()<int>(int)", "void A::operator()<…>(…)"},
	{"_ZN1AptEv", "A::operator->()", "A::operator->()"},
	{"_ZN1AcvSt6vectorIiSaIiEEEv", "A::operator std::vector<int, std::allocator<int> >()",
	 "A::operator std::vector<…>()"},
	{"_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()(int) const",
	 "main::{lambda(…)#1}::operator()(…) const"},
	{"_ZZ3fooiENKUlvE_clEv", "foo(int)::{lambda()#1}::operator()() const",
	 "foo(…)::{lambda()#1}::operator()() const"},
	{"_ZN12_GLOBAL__N_13fooEi", "(anonymous namespace)::foo(int)",
	 "(anonymous namespace)::foo(…)"},
	{"_Z1fI1AXadL_ZNS0_ltEiEEEvv", "void f<A, &A::operator<>()", "void f<…>()"},
	{"_Z1fILb1EEvv", "void f<true>()", "void f<…>()"},
	{"_Z3fooIiEPFvcEi", "void (*foo<int>(int))(char)", "void (*foo<…>(…))(…)"},
	{"_ZTV3Foo", "vtable for Foo", "vtable for Foo"},
	{"_ZThn8_N1A1fEv", "non-virtual thunk to A::f()", "non-virtual thunk to A::f()"},
	{"_ZN3foo3barEi.cold", "foo::bar(int) [clone .cold]", "foo::bar(…) [clone .cold]"},
	{"_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place",
	 "core::ptr::drop_in_place"},
	{"_ZN66_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..drop..Drop$GT$4drop"
	 "17h0123456789abcdefE",
	 "<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop",
	 "<alloc::vec::Vec<…> as core::ops::drop::Drop>::drop"},
	{"_RNvC7mycrate3foo", "mycrate::foo", "mycrate::foo"},
	{"_RNvC7mycrateu8gdel_5qa", "mycrate::gödel", "mycrate::gödel"},
	{"_RINvC1a1bhE", "a::b::<u8>", "a::b::<…>"},
	{"_RINvC1a1bFG_RL_hEuE", "a::b::<for<'a> fn(&u8)>", "a::b::<…>"},
	{"_RINvC1a1bFGzzzzzzzzzz_EuE", NULL, "_RINvC1a1bFGzzzzzzzzzz_EuE"},
};

static const struct {
	const char *demangled, *shortened;
} texts[] = {
	{"<alloc::vec::Vec<T> as core::ops::drop::Drop>::drop",
	 "<alloc::vec::Vec<…> as core::ops::drop::Drop>::drop"},
	{"core::fmt::num::<impl core::fmt::Debug for Wrap<u32>>::fmt",
	 "core::fmt::num::<impl core::fmt::Debug for Wrap<…>>::fmt"},
	{"a::f::<'<'>::g", "a::f::<…>::g"},
	{"a::f::<'\\''>::g", "a::f::<…>::g"},
	{"a::f::<&'a u8, 'b>::g", "a::f::<…>::g"},
	{"a::f::<fn(u8) -> bool>::g", "a::f::<…>::g"},
	{"foo<(a < b)>::bar", "foo<…>::bar"},
	{"foo<&A::operator()>::bar()", "foo<…>::bar()"},
	{"foo<&A::operator>>, 1>::bar()", "foo<…>::bar()"},
	{"foo<a<b<c> > >", "foo<…>"},
	{"foo<>", "foo<>"},
	{"auto f(int)::operator<=>(B<int> const&)", "auto f(…)::operator<=>(…)"},
	{"decltype (a<b>()) f<int>(int)", "decltype (…) f<…>(…)"},
	{"std::string f[abi:cxx11]<int>(int)", "std::string f[abi:cxx11]<…>(…)"},
	{"my_operator<int>(int)", "my_operator<…>(…)"},
	/* No partner: left as it is. */
	{"foo<int", "foo<int"},
	{"foo<int>(a<b", "foo<…>(a<b"},
	{"foo<)>(int)", "foo<)>(int)"},
	{">>))", ">>))"},
	{"<", "<"},
	{"operator<", "operator<"},
	{"'", "'"},
	{"f<'", "f<'"},
	{"f<'\\", "f<'\\"},
};

static void test_demangle(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		_cleanup_free_ char *demangled = symbol__demangle(names[i].raw);
		_cleanup_free_ char *shortened = NULL;

		if (names[i].demangled) {
			assert_non_null(demangled);
			assert_string_equal(demangled, names[i].demangled);
		} else {
			assert_null(demangled);
		}
		shortened = symbol__shorten(demangled ? demangled : names[i].raw);
		assert_non_null(shortened);
		assert_string_equal(shortened, names[i].shortened);
	}
}

static void test_shorten(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		_cleanup_free_ char *shortened = symbol__shorten(texts[i].demangled);

		assert_non_null(shortened);
		assert_string_equal(shortened, texts[i].shortened);
	}
}

/* Substitution k is a template of two of the substitution before it: 2^40 names. */
static void test_demangle_explosion(void **state)
{
	char raw[1024] = "_Z1f1AIiiE";
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t size = strlen(raw);
	_cleanup_free_ char *demangled = NULL, *fine = NULL;

	(void)state;
	for (size_t i = 0; i < 34; i++)
		size += (size_t)sprintf(raw + size, "S_IS%c_S%c_E", digits[i], digits[i]);
	demangled = symbol__demangle(raw);
	assert_null(demangled);
	fine = symbol__demangle("_Z1f1AIiiE");
	assert_string_equal(fine, "f(A<int, int>)");
}

static void test_demangle_long(void **state)
{
	char raw[6000] = "_Z", *demangled;

	(void)state;
	/* A name of 900 letters, then one beyond every limit. */
	memset(raw + 5, 'x', sizeof(raw) - 6);
	memcpy(raw + 2, "900", 3);
	raw[905] = 'v';
	raw[906] = '\0';
	demangled = symbol__demangle(raw);
	assert_non_null(demangled);
	assert_int_equal(strlen(demangled), 902);
	free(demangled);
	raw[906] = 'x';
	assert_null(symbol__demangle(raw));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_shorten),
		cmocka_unit_test(test_demangle_explosion),
		cmocka_unit_test(test_demangle_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
