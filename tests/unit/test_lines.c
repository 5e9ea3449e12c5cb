// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols base
/* Programs are compiled here, and every few bytes of their code looked up; addr2line of binutils,
 * which shares no code with libdw, must say the same. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/lines.h"

#define MAX_ADDRESSES 4096

static char work[64];

static const char program[] =
	"#include <algorithm>\n"
	"#include <numeric>\n"
	"#include <vector>\n"
	"namespace physics {\n"
	"template <typename T> inline T square(T x)\n"
	"{\n"
	"	return x * x + T(3);\n"
	"}\n"
	"struct track {\n"
	"	double px, py;\n"
	"	double pt2() const { return square(px) + square(py); }\n"
	"};\n"
	"namespace {\n"
	"__attribute__((noinline)) double sum(const std::vector<track> &tracks)\n"
	"{\n"
	"	double total = 0;\n"
	"	for (const auto &one : tracks)\n"
	"		total += one.pt2();\n"
	"	return total;\n"
	"}\n"
	"}\n"
	"__attribute__((noinline)) void order(std::vector<track> &tracks)\n"
	"{\n"
	"	std::sort(tracks.begin(), tracks.end(),\n"
	"		  [](const track &a, const track &b) { return a.pt2() < b.pt2(); });\n"
	"}\n"
	"}\n"
	"int main(int argc, char **)\n"
	"{\n"
	"	std::vector<physics::track> tracks(1000);\n"
	"	for (auto &one : tracks)\n"
	"		one = {double(argc++ * 7919 % 1000), 1};\n"
	"	physics::order(tracks);\n"
	"	return physics::sum(tracks) > 5;\n"
	"}\n"
	"int never_called(int a)\n"
	"{\n"
	"	return physics::square(a);\n"
	"}\n";

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	char command[4096];
	va_list arguments;
	int used = snprintf(command, sizeof(command), "cd %s && ", work);
	int status;

	va_start(arguments, format);
	vsnprintf(command + used, sizeof(command) - (size_t)used, format, arguments);
	va_end(arguments);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool have(const char *tool)
{
	return !run("command -v %s >/dev/null", tool);
}

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", work, name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	assert_true(fputs(text, stream) >= 0);
	assert_int_equal(fclose(stream), 0);
}

static struct lines *open_work(const char *name, int *ret_fd)
{
	struct lines *lines = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(*ret_fd >= 0);
	assert_int_equal(lines__open(*ret_fd, &lines), 0);
	return lines;
}

/* As addr2line -f -i writes it, a text per address. */
struct said {
	const uint64_t *addresses;
	char **texts;
	size_t calls;
};

static int write_down(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	struct said *said = context;
	size_t size;
	FILE *stream = open_memstream(&said->texts[index], &size);

	for (size_t i = 0; i < count; i++) {
		const struct line_frame *frame = &frames[i];
		const char *base = frame->file ? strrchr(frame->file, '/') : NULL;

		fprintf(stream, "%s\n", frame->name ? frame->name : "??");
		if (frame->line)
			fprintf(stream, "%s:%u\n", base ? base + 1 : frame->file, frame->line);
		else
			fprintf(stream, "?\n");
	}
	fclose(stream);
	said->calls++;
	return 0;
}

static size_t code_addresses(const char *name, uint64_t *addresses)
{
	char line[256];
	size_t count = 0;
	FILE *stream;

	/* Instructions of functions, not the padding between them. */
	assert_int_equal(run("objdump -d --no-show-raw-insn -j .text %s | "
			     "sed -n 's/^ *\\([0-9a-f]*\\):\\t\\([a-z].*\\)/\\1 \\2/p' | "
			     "grep -v 'nop\\|xchg *%%ax,%%ax\\|int3' >addresses",
			     name),
			 0);
	snprintf(line, sizeof(line), "%s/addresses", work);
	stream = fopen(line, "r");
	assert_non_null(stream);
	while (count < MAX_ADDRESSES && fgets(line, sizeof(line), stream))
		addresses[count++] = strtoull(line, NULL, 16);
	fclose(stream);
	return count;
}

/* addr2line's words for one address: "0x…" was read; until the next "0x". */
static char *read_oracle(FILE *stream, char *line, size_t line_size)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool is_place = false;

	while (fgets(line, (int)line_size, stream) && strncmp(line, "0x", 2)) {
		char *cut = strstr(line, " (discriminator"), *base = strrchr(line, '/');

		if (cut)
			strcpy(cut, "\n");
		if (is_place && strchr(line, '?'))
			fprintf(out, "?\n");
		else
			fputs(is_place && base ? base + 1 : line, out);
		is_place = !is_place;
	}
	fclose(out);
	return text;
}

/* What has no linkage name, as in an anonymous name space, is spelled otherwise: we give DWARF's
 * name in its scopes, addr2line the symbol's, or DWARF's alone. Then the names without arguments
 * count. */
static bool same_name(const char *ours, size_t our_size, const char *theirs, size_t their_size)
{
	_cleanup_free_ char *our_name = strndup(ours, our_size);
	_cleanup_free_ char *their_name = strndup(theirs, their_size);
	char *anonymous = strstr(our_name, "(anonymous namespace)");
	size_t scopes = anonymous ? (size_t)(anonymous - our_name) + 21 : 0;

	if (!strcmp(our_name, their_name))
		return true;
	our_name[scopes + strcspn(our_name + scopes, "<(")] = '\0';
	return strstr(their_name, our_name) ||
	       (our_size > their_size + 2 && !memcmp(ours + our_size - their_size - 2, "::", 2) &&
		!memcmp(ours + our_size - their_size, theirs, their_size));
}

/* The name of the outermost function. */
static const char *last_name(const char *chain)
{
	const char *name = chain, *place, *next;

	while ((place = strchr(name, '\n')) && (next = strchr(place + 1, '\n')) && next[1])
		name = next + 1;
	return name;
}

/* addr2line gives the innermost function the symbol's name where it has no linkage name: that is
 * the outermost one's. */
static bool same_chain(const char *ours, const char *theirs)
{
	const char *outermost = last_name(ours);
	size_t outermost_size = strcspn(outermost, "\n");

	for (size_t row = 0; *ours && *theirs; row++) {
		size_t our_size = strcspn(ours, "\n"), their_size = strcspn(theirs, "\n");
		bool same = row % 2 ? our_size == their_size && !memcmp(ours, theirs, our_size)
				    : same_name(ours, our_size, theirs, their_size);

		if (!same && (row || !same_name(outermost, outermost_size, theirs, their_size)))
			return false;
		ours += our_size + 1;
		theirs += their_size + 1;
	}
	return !*ours && !*theirs;
}

/* Looks up all code of the program; returns how many chains had an inlined function. */
static size_t compare(const char *name, size_t *ret_count)
{
	static uint64_t addresses[MAX_ADDRESSES];
	char line[8192], path[256], *texts[MAX_ADDRESSES] = {0};
	struct said said = {.addresses = addresses, .texts = texts};
	size_t count = code_addresses(name, addresses), inlined = 0, unlike = 0;
	struct lines *lines;
	FILE *stream;
	int fd;

	assert_true(count > 100);
	lines = open_work(name, &fd);
	assert_int_equal(lines__find(lines, addresses, count, write_down, &said), 0);
	assert_int_equal(said.calls, count);
	lines__free(lines);
	close(fd);
	assert_int_equal(run("sed 's/ .*//' addresses | addr2line -a -f -i -C -e %s >oracle", name),
			 0);
	snprintf(path, sizeof(path), "%s/oracle", work);
	stream = fopen(path, "r");
	assert_non_null(stream);
	assert_non_null(fgets(line, sizeof(line), stream));
	for (size_t i = 0; i < count; i++) {
		char *expected = read_oracle(stream, line, sizeof(line));
		const char *second = strchr(texts[i], '\n');

		second = second ? strchr(second + 1, '\n') : NULL;
		inlined += second && second[1];
		/* Without DWARF (start-up code) addr2line takes names from .symtab. */
		if (!texts[i][0])
			assert_true(strstr(expected, "?\n") != NULL);
		else if (!same_chain(texts[i], expected) && unlike++ < 5)
			print_message("%s 0x%" PRIx64 ":\n%s--- addr2line:\n%s", name, addresses[i],
				      texts[i], expected);
		free(expected);
		free(texts[i]);
	}
	fclose(stream);
	assert_int_equal(unlike, 0);
	*ret_count = count;
	return inlined;
}

static void test_against_addr2line(void **state)
{
	static const struct {
		const char *name, *compiler, *flags;
	} builds[] = {
		{"dwarf5", "g++", "-gdwarf-5"},
		{"dwarf4", "g++", "-gdwarf-4"},
		{"packed", "g++", "-g -gz=zlib"},
		{"collected", "g++", "-g -ffunction-sections -Wl,--gc-sections"},
	};

	(void)state;
	if (!have("g++") || !have("addr2line") || !have("objdump")) {
		print_message("SKIP: needs g++ and binutils\n");
		skip();
	}
	write_file("program.cc", program);
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		size_t count, inlined;

		assert_int_equal(run("%s -O2 %s -o %s program.cc", builds[i].compiler,
				     builds[i].flags, builds[i].name),
				 0);
		inlined = compare(builds[i].name, &count);
		print_message("%s: %zu instructions, %zu in inlined functions\n", builds[i].name,
			      count, inlined);
		assert_true(inlined > count / 10);
	}
}

static int take_pt2(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	bool *found = context;

	(void)index;
	if (count != 3 || strcmp(frames[0].name, "double physics::square<double>(double)"))
		return 0;
	assert_string_equal(frames[1].name, "physics::track::pt2() const");
	assert_int_equal(frames[1].line, 11);
	assert_int_equal(frames[1].first_line, 11);
	assert_string_equal(frames[2].name, "physics::(anonymous namespace)::sum");
	assert_int_equal(frames[2].line, 18);
	assert_int_equal(frames[2].first_line, 14);
	assert_int_equal(frames[0].line, 7);
	assert_string_equal(strrchr(frames[0].file, '/'), "/program.cc");
	*found = true;
	return 0;
}

/* What the program's text itself says. */
static void test_known(void **state)
{
	static uint64_t addresses[MAX_ADDRESSES];
	struct lines *lines;
	bool found = false;
	size_t count;
	int fd;

	(void)state;
	if (!have("g++") || !have("objdump"))
		skip();
	write_file("program.cc", program);
	assert_int_equal(run("g++ -O2 -g -o known program.cc"), 0);
	count = code_addresses("known", addresses);
	lines = open_work("known", &fd);
	assert_int_equal(lines__find(lines, addresses, count, take_pt2, &found), 0);
	assert_true(found);
	lines__free(lines);
	close(fd);
}

/* --- debug information that does not lie in one piece */

static const char header[] =
	"#include <algorithm>\n"
	"#include <vector>\n"
	"namespace physics {\n"
	"struct track {\n"
	"	double px, py;\n"
	"	double pt2() const { return px * px + py * py; }\n"
	"};\n"
	"extern \"C\" {\n"
	"static inline double plain(double x) { return x * x + 3; }\n"
	"static inline double longer(double x) { return plain(x) * x + plain(x * 5); }\n"
	"}\n"
	"namespace {\n"
	"__attribute__((noinline)) double sum(const std::vector<track> &tracks)\n"
	"{\n"
	"	double total = 0;\n"
	"	for (const auto &one : tracks)\n"
	"		total += one.pt2() + longer(total);\n"
	"	return total;\n"
	"}\n"
	"}\n"
	"}\n";

static const char user[] =
	"#include \"header.h\"\n"
	"double USER(std::vector<physics::track> &tracks)\n"
	"{\n"
	"	std::sort(tracks.begin(), tracks.end(),\n"
	"		  [](auto &a, auto &b) { return a.pt2() < b.pt2(); });\n"
	"	return physics::sum(tracks) + physics::longer(tracks[0].px);\n"
	"}\n"
	"namespace last { int USER() { return 1; } }\n"
	"#ifdef MAIN\n"
	"double other(std::vector<physics::track> &tracks);\n"
	"int main(int argc, char **)\n"
	"{\n"
	"	std::vector<physics::track> tracks(1000);\n"
	"	for (auto &one : tracks)\n"
	"		one = {double(argc++ * 7919 % 1000), 1};\n"
	"	return USER(tracks) + other(tracks) > 5;\n"
	"}\n"
	"#endif\n";

/* What is said of all code of the program, in order of the addresses. */
static size_t describe(const char *name, char **texts)
{
	static uint64_t addresses[MAX_ADDRESSES];
	struct said said = {.addresses = addresses, .texts = texts};
	size_t count = code_addresses(name, addresses);
	struct lines *lines;
	int fd;

	assert_true(count > 100);
	lines = open_work(name, &fd);
	assert_int_equal(lines__find(lines, addresses, count, write_down, &said), 0);
	lines__free(lines);
	close(fd);
	return count;
}

static void free_texts(char **texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(texts[i]);
}

/* Lines are the same; names are the same, or their end, or not known. */
static bool is_part_of(const char *part, const char *whole)
{
	for (size_t row = 0; *part && *whole; row++) {
		size_t size = strcspn(part, "\n"), whole_size = strcspn(whole, "\n");
		_cleanup_free_ char *name = strndup(whole, whole_size);
		const char *arguments = strchr(name, '(');
		size_t name_size =
			arguments && arguments[1] != 'a' ? (size_t)(arguments - name) : whole_size;
		bool same = size == whole_size && !memcmp(part, whole, size);

		if (!same && !(row % 2))
			same = !strncmp(part, "??\n", 3) ||
			       (size < name_size && name[name_size - size - 1] == ':' &&
				!memcmp(part, name + name_size - size, size)) ||
			       (size == name_size && !memcmp(part, name, size));
		if (!same)
			return false;
		part += size + 1;
		whole += whole_size + 1;
	}
	return !*part && !*whole;
}

/* dwz puts what units have in common into units of their own, and with -m into another file, which
 * a reader in its jail cannot open. */
static void test_shared(void **state)
{
	static char *whole[MAX_ADDRESSES], *other[MAX_ADDRESSES];
	size_t count, qualified = 0, unlike = 0;

	(void)state;
	if (!have("g++") || !have("objdump") || !have("dwz")) {
		print_message("SKIP: needs g++, binutils and dwz\n");
		skip();
	}
	write_file("header.h", header);
	write_file("user.cc", user);
	assert_int_equal(run("g++ -O2 -g -DUSER=other -c user.cc -o other.o && "
			     "g++ -O2 -g -DUSER=one -DMAIN -c user.cc -o one.o && "
			     "g++ -o apart one.o other.o"),
			 0);
	assert_int_equal(run("cp apart within && dwz within && cp apart two && cp apart three && "
			     "dwz -m common two three && mv common away"),
			 0);
	count = describe("apart", whole);
	assert_int_equal(describe("within", other), count);
	for (size_t i = 0; i < count; i++) {
		qualified += strstr(whole[i], "physics::plain\n") != NULL;
		assert_string_equal(whole[i], other[i]);
	}
	assert_true(qualified > 0);
	free_texts(other, count);
	assert_int_equal(describe("two", other), count);
	for (size_t i = 0; i < count; i++)
		if (!is_part_of(other[i], whole[i]) && unlike++ < 5)
			print_message("%s--- without the shared file:\n%s", whole[i], other[i]);
	assert_int_equal(unlike, 0);
	free_texts(other, count);
	free_texts(whole, count);
}

/* -gsplit-dwarf: functions are in .dwo files, lines are not. A line alone would be that of inlined
 * code, below the name of the function around it. */
static void test_split(void **state)
{
	static char *texts[MAX_ADDRESSES];

	(void)state;
	if (!have("g++") || !have("objdump"))
		skip();
	write_file("header.h", header);
	write_file("user.cc", user);
	for (int version = 4; version <= 5; version++) {
		const char *flags =
			version == 4 ? "-gsplit-dwarf -gdwarf-4" : "-gsplit-dwarf -gdwarf-5";
		size_t count;

		assert_int_equal(
			run("g++ -O2 %s -DUSER=one -Dother=one -DMAIN -o divided user.cc", flags),
			0);
		count = describe("divided", texts);
		for (size_t i = 0; i < count; i++)
			assert_string_equal(texts[i], "");
		free_texts(texts, count);
	}
}

static int refuse(void *context, size_t index, const struct line_frame *frames, size_t count)
{
	(void)index;
	(void)frames;
	(void)count;
	return ++*(int *)context == 2 ? -ECANCELED : 0;
}

static int expect_nothing(void *context, size_t index, const struct line_frame *frames,
			  size_t count)
{
	(void)index;
	(void)frames;
	assert_int_equal(count, 0);
	++*(int *)context;
	return 0;
}

static void test_errors(void **state)
{
	const uint64_t nowhere[] = {UINT64_MAX, 0, 1, 0x7fffffffffffffff};
	struct lines *lines = NULL;
	int fd, calls = 0;

	(void)state;
	if (!have("cc") || !have("objcopy"))
		skip();
	write_file("small.c", "int main(void) { return 0; }\n");
	assert_int_equal(run("cc -g -o small small.c && objcopy -g small stripped && "
			     "printf 'no ELF file' >text"),
			 0);
	lines = open_work("small", &fd);
	assert_int_equal(lines__find(lines, nowhere, 4, expect_nothing, &calls), 0);
	assert_int_equal(calls, 4);
	assert_int_equal(lines__find(lines, nowhere, 0, expect_nothing, &calls), 0);
	calls = 0;
	assert_int_equal(lines__find(lines, nowhere, 4, refuse, &calls), -ECANCELED);
	assert_int_equal(calls, 2);
	lines__free(lines);
	lines__free(NULL);
	close(fd);
	for (int i = 0; i < 2; i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", work, i ? "text" : "stripped");
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(lines__open(fd, &lines), i ? -EBADMSG : -ENOENT);
		close(fd);
	}
}

static int make_work(void **state)
{
	(void)state;
	snprintf(work, sizeof(work), "/tmp/test_lines.XXXXXX");
	return mkdtemp(work) ? 0 : -1;
}

static int remove_work(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_addr2line),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, make_work, remove_work);
}
