// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbols/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RAW	      4096
#define MAX_DEMANGLED (64 << 10)

/* --- Demangling.
 * A short hostile name can expand without end (each substitution twice the one before it), and
 * libiberty offers no way to stop but leaving its callback by longjmp. */

struct output {
	char *text; /* MAX_DEMANGLED bytes */
	size_t size;
	jmp_buf stop;
	bool rust;
};

static bool in_identifier(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static void output__take(const char *text, size_t size, void *opaque)
{
	struct output *output = opaque;

	if (!size)
		return;
	if (size < MAX_DEMANGLED - output->size) {
		memcpy(output->text + output->size, text, size);
		output->size += size;
		return;
	}
	/* The C++ demangler owns nothing while it prints. The Rust one owns a buffer while it
	 * prints an identifier: punctuation, without which nothing expands, is the place to leave.
	 */
	output->size = MAX_DEMANGLED - 1;
	if (!output->rust || !in_identifier(text[0]))
		longjmp(output->stop, 1);
}

static bool run(const char *raw, struct output *output)
{
	/* No return here when the output is too large. */
	if (setjmp(output->stop))
		return false;
	if (output->rust)
		return rust_demangle_callback(raw, DMGL_PARAMS | DMGL_ANSI, output__take, output);
	return cplus_demangle_v3_callback(raw, DMGL_PARAMS | DMGL_ANSI, output__take, output);
}

/* "for<'a, …>" is written as a number of lifetimes of up to 62 bits, and libiberty counts to it,
 * partly without printing. Binders stand behind F and D; up to 63 lifetimes are one digit.
 * (An identifier can look the same; its name then stays raw: 1 in 19,000 in rustc itself.) */
static bool has_endless_binder(const char *raw)
{
	for (const char *at = raw; (at = strchr(at, 'G')); at++) {
		size_t digits = strspn(at + 1,
				       "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

		if (at > raw && (at[-1] == 'F' || at[-1] == 'D') && digits > 1 &&
		    at[1 + digits] == '_')
			return true;
	}
	return false;
}

static bool is_mangled(const char *raw)
{
	return !strncmp(raw, "_Z", 2) || !strncmp(raw, "_R", 2) || !strncmp(raw, "_GLOBAL_", 8);
}

char *symbol__demangle(const char *raw)
{
	struct output output = {0};
	char *demangled;
	bool done = false;

	if (!is_mangled(raw) || strnlen(raw, MAX_RAW + 1) > MAX_RAW)
		return NULL;
	output.text = malloc(MAX_DEMANGLED);
	if (!output.text)
		return NULL;
	/* Rust's older names are C++ names with a hash at their end: Rust first. */
	if (strncmp(raw, "_R", 2) || !has_endless_binder(raw)) {
		output.rust = true;
		done = run(raw, &output) && output.size < MAX_DEMANGLED - 1;
	}
	if (!done && raw[1] != 'R') {
		output.rust = false;
		output.size = 0;
		done = run(raw, &output);
	}
	if (!done || !output.size) {
		free(output.text);
		return NULL;
	}
	output.text[output.size] = '\0';
	demangled = realloc(output.text, output.size + 1);
	return demangled ? demangled : output.text;
}

/* --- Shortening. */

/* Longest first where one begins another. */
static const char *const operators[] = {
	"()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<", ">",
};

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* Size of "operator<<" and the like at text, whose brackets are not brackets; else 0. */
static size_t operator_size(const char *begin, const char *text)
{
	static const char word[] = "operator";
	const size_t size = sizeof(word) - 1;

	if (!starts(text, word) || (text > begin && in_identifier(text[-1])))
		return 0;
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++)
		if (starts(text + size, operators[i]))
			return size + strlen(operators[i]);
	return 0;
}

/* Size of a character literal such as Rust's '<', else 0: a lifetime ('a) has no closing quote. */
static size_t quoted_size(const char *text)
{
	size_t size = 1;

	if (text[0] != '\'')
		return 0;
	if (text[1] == '\\')
		size += 2;
	else if (text[1])
		size++;
	else
		return 0;
	if (text[size - 1] == '\0')
		return 0;
	/* An escape or a UTF-8 character may be longer. */
	for (size_t end = size; end < size + 10 && text[end]; end++) {
		if (text[end] == '\'')
			return end + 1;
		if (text[1] != '\\' && !((unsigned char)text[end] & 0x80))
			return 0;
	}
	return 0;
}

/* The partner of the bracket at open: only parentheses count within parentheses, since < and > may
 * be comparisons there. NULL: it has none. */
static const char *find_partner(const char *begin, const char *open)
{
	size_t angles = 0, parentheses = 0;
	const char *at = open;

	while (*at) {
		size_t skipped = operator_size(begin, at);

		if (!skipped)
			skipped = quoted_size(at);
		if (skipped) {
			at += skipped;
			continue;
		}
		if (*at == '(') {
			parentheses++;
		} else if (*at == ')') {
			if (!parentheses)
				return NULL;
			parentheses--;
		} else if (!parentheses && *at == '<') {
			angles++;
		} else if (!parentheses && *at == '>' && at[-1] != '-') {
			angles--;
		}
		if (!parentheses && !angles)
			return at;
		at++;
	}
	return NULL;
}

static bool ends_with_word(const char *begin, const char *end, const char *word)
{
	size_t size = strlen(word);

	return (size_t)(end - begin) >= size && !memcmp(end - size, word, size) &&
	       ((size_t)(end - begin) == size || !in_identifier(end[-(long)size - 1]));
}

/* Whether the bracket at open holds a part of the name itself, not arguments. after_operator: what
 * stands before it is an operator's name. */
static bool is_part_of_name(const char *begin, const char *open, bool after_operator)
{
	char before = open > begin ? open[-1] : '\0';

	if (*open == '(') {
		if (starts(open, "(anonymous namespace)"))
			return true;
		/* "void (*name(int))(char)": a declarator stands behind a space. */
		return before == ' ' && !ends_with_word(begin, open - 1, "decltype") &&
		       !ends_with_word(begin, open - 1, "noexcept");
	}
	/* Rust: "<T as Trait>::f" and "a::<impl Trait for T>::f", but "f::<T>". */
	if (starts(open, "<impl "))
		return true;
	return !after_operator && !in_identifier(before) && !(before && strchr(":]})>", before));
}

/* Appends at most size + 3 bytes; returns what was read. */
static size_t shorten_bracket(const char *begin, const char *open, bool after_operator, char **out)
{
	static const char dots[] = "…";
	const char *partner;

	if (is_part_of_name(begin, open, after_operator)) {
		*(*out)++ = *open;
		return 1;
	}
	partner = find_partner(begin, open);
	if (!partner) {
		size_t rest = strlen(open);

		memcpy(*out, open, rest);
		*out += rest;
		return rest;
	}
	*(*out)++ = *open;
	if (partner > open + 1) {
		memcpy(*out, dots, sizeof(dots) - 1);
		*out += sizeof(dots) - 1;
	}
	*(*out)++ = *partner;
	return (size_t)(partner + 1 - open);
}

char *symbol__shorten(const char *demangled)
{
	size_t length = strlen(demangled), skipped;
	const char *at = demangled;
	bool after_operator = false;
	char *text, *out, *smaller;

	/* "<a>" grows by two bytes, nothing grows more. */
	text = malloc(length * 2 + 1);
	if (!text)
		return NULL;
	out = text;
	while (*at) {
		skipped = operator_size(demangled, at);
		if (skipped) {
			/* A space keeps "operator< <int>" apart from "operator<<". */
			if (at[skipped] == ' ' && at[skipped + 1] == '<')
				skipped++;
			memcpy(out, at, skipped);
			out += skipped;
			after_operator = true;
			at += skipped;
			continue;
		}
		if (*at == '<' || *at == '(') {
			at += shorten_bracket(demangled, at, after_operator, &out);
		} else {
			*out++ = *at++;
		}
		after_operator = false;
	}
	*out = '\0';
	smaller = realloc(text, (size_t)(out - text) + 1);
	return smaller ? smaller : text;
}
