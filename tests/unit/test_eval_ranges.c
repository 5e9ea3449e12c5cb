// SPDX-License-Identifier: GPL-2.0-or-later
// Links: python unwind base
/* The interpreter loop of this machine's interpreters against their .symtab, and in copies without
 * it; instructions one by one. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <unistd.h>

#include "python/eval_ranges.h"
#include "python/x86_code.h"
#include "python_interpreters.h"

#define LOOP_NAME "_PyEval_EvalFrameDefault"

/* Compilers leave a few bytes of code that cannot be reached as a .cold part of its own: nothing
 * leads there, and it ends in the middle of nowhere. */
#define DEAD_SIZE 16

struct coded {
	const char *name;
	const char *bytes;
	size_t size;
	int64_t jump;
};

#define CODE(text) text, sizeof(text) - 1

static const struct coded coded[] = {
	{"nop", CODE("\x90"), 0},
	{"endbr64", CODE("\xf3\x0f\x1e\xfa"), 0},
	{"push r12", CODE("\x41\x54"), 0},
	{"add al, imm8", CODE("\x04\x01"), 0},
	{"add eax, imm32", CODE("\x05\1\2\3\4"), 0},
	{"add ax, imm16", CODE("\x66\x05\1\2"), 0},
	{"mov rax, [rsp + 8]", CODE("\x48\x8b\x44\x24\x08"), 0},
	{"mov rax, [rip + disp32]", CODE("\x48\x8b\x05\1\2\3\4"), 0},
	{"mov rax, [rax * 8 + disp32]", CODE("\x48\x8b\x04\xc5\1\2\3\4"), 0},
	{"mov rax, [rbp + disp32]", CODE("\x48\x8b\x85\1\2\3\4"), 0},
	{"mov rax, imm64", CODE("\x48\xb8\1\2\3\4\5\6\7\x08"), 0},
	{"mov eax, imm32", CODE("\xb8\1\2\3\4"), 0},
	{"mov [rsp + 8], imm32", CODE("\xc7\x44\x24\x08\1\2\3\4"), 0},
	{"test byte, imm8", CODE("\xf6\xc0\1"), 0},
	{"not byte", CODE("\xf6\xd0"), 0},
	{"test dword, imm32", CODE("\xf7\xc0\1\2\3\4"), 0},
	{"neg dword", CODE("\xf7\xd8"), 0},
	{"call", CODE("\xe8\1\2\3\4"), 0},
	{"call rax", CODE("\xff\xd0"), 0},
	{"jmp of 8 bits", CODE("\xeb\x10"), 0},
	{"jmp", CODE("\xe9\x10\x00\x00\x00"), 0x15},
	{"jmp back", CODE("\xe9\xf0\xff\xff\xff"), -11},
	{"jmp *rax, no tracking", CODE("\x3e\xff\xe0"), 0},
	{"ja", CODE("\x0f\x87\x00\x01\x00\x00"), 0x106},
	{"jae, of another kind", CODE("\x73\x01"), 0},
	{"movaps", CODE("\x0f\x29\x44\x24\x10"), 0},
	{"pshufd", CODE("\x66\x0f\x70\xc0\xee"), 0},
	{"pshufb", CODE("\x66\x0f\x38\x00\xc1"), 0},
	{"palignr", CODE("\x66\x0f\x3a\x0f\xc1\x08"), 0},
	{"vzeroupper", CODE("\xc5\xf8\x77"), 0},
	{"vpxor", CODE("\xc5\xf9\xef\xc0"), 0},
	{"kmovw by VEX, opcode of a jump", CODE("\xc5\xf8\x90\xc8"), 0},
	{"vinserti128", CODE("\xc4\xe3\x7d\x38\xc1\x01"), 0},
	{"vmovdqu64 by EVEX", CODE("\x62\xf1\xfe\x48\x6f\x07"), 0},
	{"vpternlogd by EVEX", CODE("\x62\xf3\x7d\x48\x25\xc0\xff"), 0},
	{"ud2", CODE("\x0f\x0b"), 0},
	{"syscall", CODE("\x0f\x05"), 0},
	{"enter", CODE("\xc8\1\2\3"), 0},
};

static void test_instructions(void **state)
{
	struct x86_instruction found;

	(void)state;
	for (size_t i = 0; i < sizeof(coded) / sizeof(*coded); i++) {
		uint8_t bytes[32] = {0};

		memcpy(bytes, coded[i].bytes, coded[i].size);
		if (x86_instruction__decode(bytes, sizeof(bytes), &found) ||
		    found.length != coded[i].size || found.jump != coded[i].jump)
			fail_msg("%s: %zu bytes, jump %" PRId64, coded[i].name, found.length,
				 found.jump);
		for (size_t cut = 0; cut < coded[i].size; cut++) {
			/* A prefix of prefixes and opcodes is no instruction. */
			if (!x86_instruction__decode((const uint8_t *)coded[i].bytes, cut, &found))
				fail_msg("%s: %zu bytes are enough", coded[i].name, cut);
		}
	}
	assert_int_equal(x86_instruction__decode((const uint8_t *)"\x06", 1, &found), -EBADMSG);
}

/* Whether the ranges hold what .symtab calls the loop and its parts; 1: there is no .symtab. */
static int check_symbols(const char *path, int fd, const struct eval_range *ranges, size_t count)
{
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t named = 0, dead = 0;

	assert_non_null(elf);
	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
			break;
	for (int i = 0; section; i++) {
		GElf_Sym symbol;
		const char *name;
		size_t held = 0;

		if (!gelf_getsym(elf_getdata(section, NULL), i, &symbol))
			break;
		name = elf_strptr(elf, header.sh_link, symbol.st_name);
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || !symbol.st_size || !name ||
		    strncmp(name, LOOP_NAME, strlen(LOOP_NAME)))
			continue;
		for (size_t j = 0; j < count; j++)
			held += ranges[j].start == symbol.st_value &&
				ranges[j].end == symbol.st_value + symbol.st_size;
		if (!held && symbol.st_size < DEAD_SIZE && strcmp(name, LOOP_NAME)) {
			print_message("    %s: %" PRIu64 " bytes that nothing leads to\n", name,
				      symbol.st_size);
			dead++;
			continue;
		}
		if (!held)
			fail_msg("%s: %s, %" PRIu64 " bytes, was not found", path, name,
				 symbol.st_size);
		named++;
	}
	elf_end(elf);
	if (!section)
		return 1;
	if (named != count)
		fail_msg("%s: %zu ranges, but %zu are named", path, count, named);
	return 0;
}

/* A copy without .symtab has the same ranges: 1: there is no strip. */
static int check_stripped(const char *path, const struct eval_range *ranges, size_t count)
{
	struct eval_range others[EVAL_RANGES_MOST];
	char copy[] = "/tmp/test_eval_ranges.XXXXXX", command[PATH_MAX + 128];
	int fd = mkstemp(copy), status, err;
	size_t other_count = 0;

	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof(command), "strip -o %s '%s' 2>/dev/null", copy, path);
	status = system(command);
	fd = open(copy, O_RDONLY | O_CLOEXEC);
	unlink(copy);
	assert_true(fd >= 0);
	if (status) {
		close(fd);
		return 1;
	}
	err = eval_ranges__find(fd, others, EVAL_RANGES_MOST, &other_count);
	close(fd);
	assert_int_equal(err, 0);
	assert_int_equal(other_count, count);
	assert_memory_equal(others, ranges, count * sizeof(*ranges));
	return 0;
}

/* Of the last file. */
static size_t parts_found;

/* Whether the file is a CPython; its ranges are checked then. exported: also without .symtab. */
static bool check(const char *path, bool exported)
{
	struct eval_range ranges[EVAL_RANGES_MOST];
	int fd = open(path, O_RDONLY | O_CLOEXEC), err, unnamed, unstripped;
	size_t count = 77;
	bool ordered = true;

	if (fd < 0)
		return false;
	err = eval_ranges__find(fd, ranges, EVAL_RANGES_MOST, &count);
	if (err) {
		assert_int_equal(err, -ENOENT);
		assert_int_equal(count, 77);
		close(fd);
		return false;
	}
	print_message("  %s:", path);
	for (size_t i = 0; i < count; i++) {
		print_message(" %#" PRIx64 "+%" PRIu64, ranges[i].start,
			      ranges[i].end - ranges[i].start);
		ordered &= ranges[i].start < ranges[i].end &&
			   (!i || ranges[i - 1].end <= ranges[i].start);
	}
	print_message("\n");
	assert_true(ordered);
	parts_found = 0;
	assert_int_equal(eval_ranges__find(fd, ranges, 0, &parts_found), -ENOSPC);
	assert_int_equal(parts_found, 0);
	unnamed = check_symbols(path, fd, ranges, count);
	unstripped = exported && check_stripped(path, ranges, count);
	parts_found = count;
	if (unnamed || unstripped)
		print_message("    not compared: %s%s\n", unnamed ? "it has no .symtab " : "",
			      unstripped ? "strip failed" : "");
	close(fd);
	return true;
}

static bool check_file(const char *path)
{
	return check(path, true);
}

static bool check_named(const char *path)
{
	return check(path, false);
}

/* The executable and the library of each interpreter. */
static void test_interpreters(void **state)
{
	int checked = 0;

	(void)state;
	elf_version(EV_CURRENT);
	find_interpreters();
	for (int i = 0; i < interpreter_count; i++) {
		char shell[PATH_MAX + 256], path[PATH_MAX];
		FILE *pipe;

		snprintf(shell, sizeof(shell),
			 "exec %s -c \"for line in open('/proc/self/maps'):\n"
			 "    path = line.split()[-1]\n"
			 "    if ' r-xp ' in line and 'python3' in path.rsplit('/', 1)[-1]:"
			 " print(path)\"",
			 interpreters[i].command);
		pipe = popen(shell, "r");
		assert_non_null(pipe);
		while (fgets(path, sizeof(path), pipe)) {
			path[strcspn(path, "\n")] = '\0';
			checked += check_file(path);
		}
		pclose(pipe);
	}
	if (!checked) {
		print_message("  SKIP: no CPython here\n");
		skip();
	}
}

/* A loop with rare parts between other functions that have some, too. */
static const char loop_source[] =
	"#include <stdio.h>\n"
	"#include <stdlib.h>\n"
	"__attribute__((cold, noinline)) int rare(int x) { return printf(\"%d\", x); }\n"
	"#define BODY(n) volatile int room[20 + n]; int sum = 0;\\\n"
	"	for (int i = 0; i < x; i++) { room[i % 20] = i; sum += room[x % 20] * n;\\\n"
	"		if (room[3] == n) sum += rare(sum) + room[4];\\\n"
	"		if (room[5] == n + 1) { rare(sum + 7); abort(); } }\\\n"
	"	return sum + room[1]\n"
	"int before(int x) { BODY(3); }\n"
	"int _PyEval_EvalFrameDefault(int x) { BODY(5); }\n"
	"int after(int x) { BODY(9); }\n"
	"int main(int c, char **v) { (void)v;\n"
	"	return before(c) + _PyEval_EvalFrameDefault(c + 1) + after(c + 2); }\n";

static void test_parts(void **state)
{
	static const char *const options[] = {
		"-rdynamic",
		"-rdynamic -fno-omit-frame-pointer",
		"-rdynamic -O3 -mavx2",
		"-rdynamic -no-pie -fPIC",
	};
	char folder[] = "/tmp/test_eval_ranges.XXXXXX", path[64], command[256];
	FILE *source;

	(void)state;
	elf_version(EV_CURRENT);
	if (system("command -v gcc >/dev/null")) {
		print_message("  SKIP: needs gcc\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/loop.c", folder);
	source = fopen(path, "w");
	assert_true(source && fputs(loop_source, source) >= 0 && !fclose(source));
	snprintf(path, sizeof(path), "%s/loop", folder);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		snprintf(command, sizeof(command), "gcc -O2 %s -o %s %s/loop.c", options[i], path,
			 folder);
		assert_int_equal(system(command), 0);
		assert_true(check_file(path));
		assert_int_equal(parts_found, 2);
	}
	/* Not exported: .symtab names it. */
	snprintf(command, sizeof(command), "gcc -O2 -o %s %s/loop.c", path, folder);
	assert_int_equal(system(command), 0);
	assert_true(check_named(path));
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

static void test_others(void **state)
{
	struct eval_range ranges[1];
	size_t count = 77;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(eval_ranges__find(fd, ranges, 1, &count), -ENOENT);
	assert_int_equal(count, 77);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instructions),
		cmocka_unit_test(test_interpreters),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
