// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc/rule_value.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

enum step_kind { STEP_AFTER, STEP_AFTER_LAST, STEP_BEFORE, STEP_FIRST, STEP_LAST, STEP_LIKE };

struct rule_step_word {
	const char *name;
	enum step_kind kind;
	bool has_text;
};

static const struct rule_step_word step_words[] = {
	{"after", STEP_AFTER, true},   {"after-last", STEP_AFTER_LAST, true},
	{"before", STEP_BEFORE, true}, {"first", STEP_FIRST, false},
	{"last", STEP_LAST, false},    {"like", STEP_LIKE, true},
};

#define STEP_WORD_COUNT (sizeof(step_words) / sizeof(step_words[0]))

static int parse_step(struct rule_parser *parser, char *text, struct rule_steps *steps)
{
	struct rule_step *step = &steps->items[steps->count];
	char *name = rule_word__next(&text);

	if (!name)
		return rule_parser__error(parser, "there is no step between two '|'");
	if (steps->count == RULE_STEPS_MAX)
		return rule_parser__error(parser, "more than %d steps", RULE_STEPS_MAX);
	text = rule_word__trim(text);
	for (size_t i = 0; i < STEP_WORD_COUNT; i++) {
		const struct rule_step_word *word = &step_words[i];

		if (strcmp(word->name, name))
			continue;
		if (word->has_text != !!*text)
			return rule_parser__error(parser, "the step '%s' %s", name,
						  word->has_text ? "needs a text" : "has no text");
		steps->count++;
		step->word = word;
		return word->has_text ? rule_parser__glob(parser, text, &step->text) : 0;
	}
	return rule_parser__error(parser,
				  "there is no step '%.40s'; the steps are: after, after-last, "
				  "before, first, last, like",
				  name);
}

int rule_steps__parse(struct rule_parser *parser, char *text, struct rule_steps *ret_steps)
{
	struct rule_steps steps = {0};
	char *next;

	for (; text; text = next) {
		int err;

		next = strchr(text, '|');
		if (next)
			*next++ = '\0';
		err = parse_step(parser, text, &steps);
		if (err)
			return err;
	}
	*ret_steps = steps;
	return 0;
}

void rule_slices__add(struct rule_slices *slices, const char *text)
{
	if (slices->count == RULE_SLICES_MAX)
		return;
	slices->items[slices->count].at = text;
	slices->items[slices->count].size = strnlen(text, RULE_SOURCE_LIMIT);
	slices->count++;
}

/* fnmatch wants a NUL. Its time is at most the product of both lengths. */
static bool matches_bytes(const char *pattern, const char *bytes, size_t size)
{
	char copy[RULE_SOURCE_LIMIT + 1];

	memcpy(copy, bytes, size);
	copy[size] = '\0';
	return !fnmatch(pattern, copy, 0);
}

bool rule_glob__matches(const char *pattern, const char *text)
{
	return matches_bytes(pattern, text, strnlen(text, RULE_SOURCE_LIMIT));
}

bool rule_words__match(const struct rule_words *patterns, const char *text)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (rule_glob__matches(patterns->items[i], text))
			return true;
	return false;
}

static const char *find_last(const char *bytes, size_t size, const char *text, size_t text_size)
{
	const char *last = NULL, *end = bytes + size;

	for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), text, text_size)); at++)
		last = at;
	return last;
}

/* false: the value is dropped. */
static bool apply_to_value(const struct rule_step *step, const char **at, size_t *size)
{
	size_t text_size = step->text ? strlen(step->text) : 0;
	const char *found;

	switch (step->word->kind) {
	case STEP_AFTER:
	case STEP_AFTER_LAST:
		found = step->word->kind == STEP_AFTER
				? memmem(*at, *size, step->text, text_size)
				: find_last(*at, *size, step->text, text_size);
		if (!found)
			return false;
		found += text_size;
		*size -= (size_t)(found - *at);
		*at = found;
		return true;
	case STEP_BEFORE:
		found = memmem(*at, *size, step->text, text_size);
		if (found)
			*size = (size_t)(found - *at);
		return true;
	case STEP_LIKE:
		return matches_bytes(step->text, *at, *size);
	case STEP_FIRST:
	case STEP_LAST:
		break;
	}
	return true;
}

static void apply_step(const struct rule_step *step, struct rule_slices *slices)
{
	size_t kept = 0;

	if (step->word->kind == STEP_LAST && slices->count)
		slices->items[0] = slices->items[slices->count - 1];
	if (step->word->kind == STEP_LAST || step->word->kind == STEP_FIRST)
		slices->count = slices->count ? 1 : 0;
	for (size_t i = 0; i < slices->count; i++) {
		if (apply_to_value(step, &slices->items[i].at, &slices->items[i].size))
			slices->items[kept++] = slices->items[i];
	}
	slices->count = kept;
}

void rule_steps__apply(const struct rule_steps *steps, struct rule_slices *slices)
{
	size_t kept = 0;

	for (size_t i = 0; i < steps->count; i++)
		apply_step(&steps->items[i], slices);
	for (size_t i = 0; i < slices->count; i++) {
		if (slices->items[i].size)
			slices->items[kept++] = slices->items[i];
	}
	slices->count = kept;
}

void rule_text__append(struct rule_text *text, const char *bytes, size_t size)
{
	size_t room = RULES_TEXT_LIMIT - text->size;

	if (text->full)
		return;
	if (size > room) {
		text->full = true;
		size = room;
		while (size && ((unsigned char)bytes[size] & 0xc0) == 0x80)
			size--;
	}
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
}

/* Bytes of the UTF-8 character at `at`, 0 when it is none. */
static size_t character_size(const unsigned char *at, size_t left, uint32_t *ret_code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = at[0] < 0x80	       ? 1
		      : (at[0] & 0xe0) == 0xc0 ? 2
		      : (at[0] & 0xf0) == 0xe0 ? 3
		      : (at[0] & 0xf8) == 0xf0 ? 4
					       : 0;
	uint32_t code = size == 1 ? at[0] : at[0] & (0x7fU >> size);

	if (!size || size > left)
		return 0;
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return size;
}

void rule_text__clean(struct rule_text *text)
{
	const unsigned char *bytes = (const unsigned char *)text->bytes;
	size_t to = 0, from = 0;

	while (from < text->size) {
		uint32_t code = 0;
		size_t size = character_size(bytes + from, text->size - from, &code);

		if (!size || code < 0x20 || (code >= 0x7f && code <= 0x9f)) {
			text->bytes[to++] = '?';
			from += size ? size : 1;
			continue;
		}
		memmove(text->bytes + to, text->bytes + from, size);
		to += size;
		from += size;
	}
	while (to && text->bytes[to - 1] == ' ')
		to--;
	from = 0;
	while (from < to && text->bytes[from] == ' ')
		from++;
	memmove(text->bytes, text->bytes + from, to - from);
	text->size = to - from;
	text->bytes[text->size] = '\0';
}

/* One piece of a template: plain text, or what stands between two braces. */
struct piece {
	const char *at;
	size_t size;
	bool is_reference;
};

/* 1, 0 at the end, -EBADMSG: braces that do not pair. */
static int next_piece(const char **at, struct piece *ret)
{
	const char *start = *at;
	size_t size = strcspn(start, "{}");

	if (!*start)
		return 0;
	if (size) {
		*ret = (struct piece){start, size, false};
		*at = start + size;
		return 1;
	}
	size = strcspn(start + 1, "{}");
	if (start[0] != '{' || start[1 + size] != '}')
		return -EBADMSG;
	*ret = (struct piece){start + 1, size, true};
	*at = start + size + 2;
	return 1;
}

/* Cuts the next alternative off a reference: "a | b | text". false at the end. */
static bool next_alternative(struct piece *reference, struct piece *ret, bool *ret_last)
{
	const char *bar;
	size_t size;

	if (!reference->at)
		return false;
	bar = memchr(reference->at, '|', reference->size);
	size = bar ? (size_t)(bar - reference->at) : reference->size;
	*ret = (struct piece){reference->at, size, true};
	*ret_last = !bar;
	reference->size -= size + !!bar;
	reference->at = bar ? bar + 1 : NULL;
	while (ret->size && *ret->at == ' ') {
		ret->at++;
		ret->size--;
	}
	while (ret->size && ret->at[ret->size - 1] == ' ')
		ret->size--;
	return true;
}

/* The index of a capture, or count. */
static size_t find_name(const char *const *names, size_t count, const struct piece *piece)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strlen(names[i]) == piece->size && !memcmp(names[i], piece->at, piece->size))
			break;
	}
	return i;
}

static int check_reference(struct rule_parser *parser, int line, struct piece reference,
			   const char *const *names, size_t name_count, uint32_t *used)
{
	struct piece one;
	bool first = true, last;

	while (next_alternative(&reference, &one, &last)) {
		size_t index = find_name(names, name_count, &one);

		/* Only behind a capture, and only at the end, an unknown word is a fallback text.
		 */
		if (index == name_count && (first || !last))
			return rule_parser__error_at(parser, line, "there is no capture '%.*s'",
						     one.size < 64 ? (int)one.size : 64, one.at);
		if (index < name_count)
			*used |= UINT32_C(1) << index;
		first = false;
	}
	return 0;
}

int rule_template__check(struct rule_parser *parser, int line, const char *template,
			 const char *const *names, size_t name_count, uint32_t *used)
{
	struct piece piece;
	int more;

	while ((more = next_piece(&template, &piece)) > 0) {
		int err = piece.is_reference
				  ? check_reference(parser, line, piece, names, name_count, used)
				  : 0;

		if (err)
			return err;
	}
	return more ? rule_parser__error_at(parser, line, "braces that do not pair: %.40s",
					    template)
		    : 0;
}

static bool expand_reference(struct piece reference, const char *const *names, size_t name_count,
			     rule_fetch_fn *fetch, void *context, struct rule_text *text)
{
	struct piece one;
	bool last;

	while (next_alternative(&reference, &one, &last)) {
		size_t index = find_name(names, name_count, &one);

		if (index == name_count) {
			rule_text__append(text, one.at, one.size);
			return true;
		}
		if (fetch(context, index, text))
			return true;
	}
	return false;
}

bool rule_template__expand(const char *template, const char *const *names, size_t name_count,
			   rule_fetch_fn *fetch, void *context, struct rule_text *ret_text)
{
	struct rule_text text = {0};
	struct piece piece;

	while (next_piece(&template, &piece) > 0) {
		if (!piece.is_reference)
			rule_text__append(&text, piece.at, piece.size);
		else if (!expand_reference(piece, names, name_count, fetch, context, &text))
			return false;
	}
	rule_text__clean(&text);
	if (!text.size)
		return false;
	*ret_text = text;
	return true;
}
