// SPDX-License-Identifier: GPL-2.0-or-later
// Links: unwind base
// Libraries: dw
/* Rows of this machine's files against an independent judge, libdw. Both answers are worked out
 * with the same made-up registers and memory; every row of the judge is looked at, at its first and
 * its last byte, and every byte that the judge says nothing about. $PIPESCOPE_TEST_ELF names more
 * files, with colons between. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "unwind/rows.h"

#define RBP	       6
#define RSP	       7
#define RIP	       16
#define MAX_STACK      32
#define MAX_FILES      512
#define VDSO_LIMIT     (64u << 10)
#define SHOWN	       5
#define ENTRY_SIZE     64 /* of the function at the entry point, as rows.c takes it */
#define LEAST_ADDRESS  0x7ff000000000ull
#define REGISTER_COUNT 17

struct tally {
	uint64_t places, differences, unsupported;
	uint64_t refused; /* places where the judge calls the information invalid */
	uint64_t entry; /* of the file */
};

static uint64_t made_up(uint64_t seed)
{
	seed ^= seed >> 31;
	seed *= 0x9e3779b97f4a7c15ull;
	seed ^= seed >> 29;
	return LEAST_ADDRESS + (seed >> 30) * 8;
}

static uint64_t memory_at(uint64_t address)
{
	return made_up(address ^ 0x5555);
}

/* Works a location or a value out; false: in words that this test does not know. */
static bool evaluate(const Dwarf_Op *ops, size_t count, const uint64_t *registers, uint64_t cfa,
		     uint64_t *ret, bool *ret_value)
{
	uint64_t stack[MAX_STACK + 1] = {0};
	size_t depth = 0;

	*ret_value = false;
	for (size_t i = 0; i < count; i++) {
		const Dwarf_Op *op = &ops[i];

		if (depth == MAX_STACK)
			return false;
		if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg16) {
			stack[depth++] = registers[op->atom - DW_OP_breg0] + op->number;
		} else if (op->atom == DW_OP_bregx && op->number < REGISTER_COUNT) {
			stack[depth++] = registers[op->number] + op->number2;
		} else if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31) {
			stack[depth++] = op->atom - DW_OP_lit0;
		} else if (op->atom == DW_OP_call_frame_cfa) {
			stack[depth++] = cfa;
		} else if (op->atom == DW_OP_const1s || op->atom == DW_OP_consts ||
			   op->atom == DW_OP_const1u || op->atom == DW_OP_constu) {
			stack[depth++] = op->number;
		} else if (depth && op->atom == DW_OP_plus_uconst) {
			stack[depth - 1] += op->number;
		} else if (depth && op->atom == DW_OP_deref) {
			stack[depth - 1] = memory_at(stack[depth - 1]);
		} else if (depth && op->atom == DW_OP_stack_value) {
			*ret_value = true;
		} else if (depth > 1 && op->atom == DW_OP_plus) {
			depth--;
			stack[depth - 1] += stack[depth];
		} else if (depth > 1 && op->atom == DW_OP_minus) {
			depth--;
			stack[depth - 1] -= stack[depth];
		} else if (depth > 1 && op->atom == DW_OP_and) {
			depth--;
			stack[depth - 1] &= stack[depth];
		} else if (depth > 1 && op->atom == DW_OP_shl) {
			depth--;
			stack[depth - 1] <<= stack[depth] & 63;
		} else if (depth > 1 && op->atom == DW_OP_ge) {
			depth--;
			stack[depth - 1] = (int64_t)stack[depth - 1] >= (int64_t)stack[depth];
		} else {
			return false;
		}
	}
	if (!depth) /* below the result lies the CFA, which expressions of registers begin with */
		return false;
	*ret = stack[depth - 1];
	return true;
}

/* What the judge says of one register of the caller. */
enum judged { JUDGED_SAME, JUDGED_UNDEFINED, JUDGED_ADDRESS, JUDGED_UNKNOWN };

static enum judged judge_register(Dwarf_Frame *frame, int column, const uint64_t *registers,
				  uint64_t cfa, uint64_t *ret_address)
{
	Dwarf_Op buffer[3], *ops;
	size_t count;
	bool value;

	if (dwarf_frame_register(frame, column, buffer, &ops, &count))
		return JUDGED_UNKNOWN;
	if (!count)
		return ops == buffer ? JUDGED_UNDEFINED : JUDGED_SAME;
	if (!evaluate(ops, count, registers, cfa, ret_address, &value) || value)
		return JUDGED_UNKNOWN;
	return JUDGED_ADDRESS;
}

/* DWARF's number of a register that a CFA is relative to -> the rule's kind; 0: there is none. */
static uint32_t cfa_kind(uint64_t number)
{
	switch (number) {
	case 0:
		return PS_CFA_RAX;
	case 3:
		return PS_CFA_RBX;
	case 4:
		return PS_CFA_RSI;
	case RBP:
		return PS_CFA_RBP;
	case RSP:
		return PS_CFA_RSP;
	case 9:
		return PS_CFA_R9;
	case 10:
		return PS_CFA_R10;
	case 11:
		return PS_CFA_R11;
	case 13:
		return PS_CFA_R13;
	default:
		return 0;
	}
}

/* Whether the judge's words are simple ones, so that a row can say the same. */
static bool is_simple(Dwarf_Frame *frame, const uint64_t *registers, uint64_t cfa)
{
	Dwarf_Op *ops;
	size_t count;
	uint64_t address = 0;

	if (dwarf_frame_cfa(frame, &ops, &count) || count != 1 || ops->atom != DW_OP_bregx ||
	    !cfa_kind(ops->number) || ops->number2 % 8 || (int64_t)ops->number2 < -262144 ||
	    (int64_t)ops->number2 > 262136)
		return false;
	return judge_register(frame, RIP, registers, cfa, &address) == JUDGED_ADDRESS &&
	       address == cfa - 8;
}

static uint64_t cfa_of(uint32_t rule, const uint64_t *registers)
{
	uint64_t plus = rule & PS_UNWIND_PLUS_8 ? 8 : 0;
	uint64_t offset = (uint64_t)PS_UNWIND_CFA_OFFSET(rule);

	switch (PS_UNWIND_CFA(rule)) {
	case PS_CFA_RSP:
		return registers[RSP] + offset;
	case PS_CFA_RBP:
		return registers[RBP] + offset;
	case PS_CFA_RSP_DEREF:
		return memory_at(registers[RSP] + offset) + plus;
	case PS_CFA_RBP_DEREF:
		return memory_at(registers[RBP] + offset) + plus;
	case PS_CFA_PLT:
		return registers[RSP] + 8 + ((registers[RIP] & 15) >= offset / 8 ? 8 : 0);
	default:
		for (uint64_t number = 0; number < RIP; number++)
			if (cfa_kind(number) == PS_UNWIND_CFA(rule))
				return registers[number] + offset;
		fail_msg("rule %#" PRIx32 " has no CFA", rule);
		return 0;
	}
}

static bool same_rbp(uint32_t rule, Dwarf_Frame *frame, const uint64_t *registers, uint64_t cfa)
{
	uint64_t address = 0, offset = (uint64_t)PS_UNWIND_RBP_OFFSET(rule);
	enum judged judged = judge_register(frame, RBP, registers, cfa, &address);

	switch (PS_UNWIND_RBP(rule)) {
	case PS_RBP_SAME:
		return judged == JUDGED_SAME;
	case PS_RBP_AT_CFA:
		return judged == JUDGED_ADDRESS && address == cfa + offset;
	case PS_RBP_AT_RBP:
		return judged == JUDGED_ADDRESS && address == registers[RBP] + offset;
	default:
		return judged != JUDGED_SAME;
	}
}

static bool same(uint32_t rule, Dwarf_Frame *frame, uint64_t place)
{
	uint64_t registers[REGISTER_COUNT], address = 0, cfa = 0;
	enum judged judged;
	bool signal = false, value, known;
	Dwarf_Op *ops;
	size_t count;

	for (unsigned int i = 0; i < REGISTER_COUNT; i++)
		registers[i] = made_up(place * 32 + i);
	registers[RIP] = place;
	dwarf_frame_info(frame, NULL, NULL, &signal);
	known = !dwarf_frame_cfa(frame, &ops, &count) &&
		evaluate(ops, count, registers, 0, &cfa, &value);
	judged = judge_register(frame, RIP, registers, cfa, &address);
	switch (PS_UNWIND_CFA(rule)) {
	case PS_CFA_NONE:
		return false;
	case PS_CFA_BOTTOM:
		return judged == JUDGED_UNDEFINED;
	case PS_CFA_UNSUPPORTED:
		return judged != JUDGED_UNDEFINED && !is_simple(frame, registers, cfa);
	case PS_CFA_SIGNAL:
		return signal && known && cfa == memory_at(registers[RSP] + 160) &&
		       judged == JUDGED_ADDRESS && address == registers[RSP] + 168 &&
		       judge_register(frame, RBP, registers, cfa, &address) == JUDGED_ADDRESS &&
		       address == registers[RSP] + 120;
	default:
		return known && !signal && cfa == cfa_of(rule, registers) &&
		       judged == JUDGED_ADDRESS && address == cfa - 8 &&
		       same_rbp(rule, frame, registers, cfa);
	}
}

/* libdw allows no DW_CFA_def_cfa_register after an expression; libgcc and real files do. */
static bool refuses(Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t count;

	return dwarf_frame_cfa(frame, &ops, &count) || !count;
}

static void check_place(const char *name, const struct unwind_rows *rows, Dwarf_Frame *frame,
			uint64_t place, struct tally *tally)
{
	uint32_t rule = unwind_rows__find(rows, place);

	tally->places++;
	tally->unsupported += PS_UNWIND_CFA(rule) == PS_CFA_UNSUPPORTED;
	if (frame && refuses(frame)) {
		tally->refused++;
		return;
	}
	if (frame ? same(rule, frame, place) : PS_UNWIND_CFA(rule) == PS_CFA_NONE)
		return;
	/* What the rows know better: nothing calls the entry point. */
	if (!frame && PS_UNWIND_CFA(rule) == PS_CFA_BOTTOM && place - tally->entry < ENTRY_SIZE)
		return;
	if (tally->differences++ < SHOWN)
		print_message("    %s: %#" PRIx64 ": rule %#" PRIx32 ", the judge %s\n", name,
			      place, rule, frame ? "says otherwise" : "knows nothing there");
}

static void judge_code(const char *name, const struct unwind_rows *rows, Dwarf_CFI *cfi,
		       uint64_t start, uint64_t end, struct tally *tally)
{
	uint64_t place = start;

	while (place < end) {
		Dwarf_Addr row_start = place, row_end = place + 1;
		Dwarf_Frame *frame = NULL;

		if (dwarf_cfi_addrframe(cfi, place, &frame)) {
			check_place(name, rows, NULL, place++, tally);
			continue;
		}
		dwarf_frame_info(frame, &row_start, &row_end, NULL);
		assert_true(row_start <= place && place < row_end);
		check_place(name, rows, frame, place, tally);
		if (row_end - 1 != place)
			check_place(name, rows, frame, row_end - 1, tally);
		free(frame);
		place = row_end;
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void print_file(const char *name, const struct unwind_rows *rows, const struct tally *tally,
		       double seconds)
{
	print_message("  %s: %zu rows, %zu bytes, %.1f million rows/s; %" PRIu64 " of %" PRIu64
		      " bytes of code described; %" PRIu64 " places compared, %" PRIu64
		      " unsupported, %" PRIu64 " refused, %" PRIu64 " differ\n",
		      name, rows->count, rows->count * sizeof(*rows->rows),
		      (double)rows->count / seconds / 1e6, rows->described,
		      rows->described + rows->undescribed, tally->places, tally->unsupported,
		      tally->refused, tally->differences);
	for (unsigned int i = 0; i < UNWIND_PROBLEM_COUNT; i++)
		if (rows->problems[i])
			print_message("    %s %" PRIu64 "\n", unwind_problem__name(i),
				      rows->problems[i]);
}

static void judge(const char *name, Elf *elf, const struct unwind_rows *rows, double seconds)
{
	Dwarf_CFI *cfi = dwarf_getcfi_elf(elf);
	struct tally tally = {0};
	GElf_Ehdr header;
	size_t segments = 0;

	if (!cfi) {
		print_message("  %s: the judge finds no call-frame information\n", name);
		assert_int_equal(rows->described, 0);
		return;
	}
	assert_non_null(gelf_getehdr(elf, &header));
	tally.entry = header.e_entry;
	elf_getphdrnum(elf, &segments);
	for (size_t i = 0; i < segments; i++) {
		GElf_Phdr segment;

		assert_non_null(gelf_getphdr(elf, (int)i, &segment));
		if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
			judge_code(name, rows, cfi, segment.p_vaddr,
				   segment.p_vaddr + segment.p_memsz, &tally);
	}
	print_file(name, rows, &tally, seconds);
	dwarf_cfi_end(cfi);
	assert_int_equal(tally.differences, 0);
}

static void judge_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	struct unwind_rows rows;
	double start = now();
	Elf *elf;

	if (fd < 0) {
		print_message("  %s: cannot be opened\n", path);
		return;
	}
	err = unwind_rows__compile(fd, &rows);
	if (err) {
		print_message("  %s: error %d\n", path, err);
		fail();
	}
	start = now() - start;
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	assert_non_null(elf);
	judge(path, elf, &rows, start);
	elf_end(elf);
	unwind_rows__clear(&rows);
	close(fd);
}

static char *files[MAX_FILES];
static size_t file_count;

static void add_file(const char *name)
{
	char path[PATH_MAX];

	if (file_count == MAX_FILES || !realpath(name, path))
		return;
	for (size_t i = 0; i < file_count; i++)
		if (!strcmp(files[i], path))
			return;
	files[file_count] = strdup(path);
	assert_non_null(files[file_count]);
	file_count++;
}

/* One name per line of what the command prints. */
static void add_listed(const char *command)
{
	FILE *pipe = popen(command, "r");
	char line[PATH_MAX];

	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		line[strcspn(line, "\n")] = '\0';
		add_file(line);
	}
	pclose(pipe);
}

static void test_files(void **state)
{
	char *more = getenv("PIPESCOPE_TEST_ELF");

	(void)state;
	elf_version(EV_CURRENT);
	add_listed("sed -n 's|.* r-xp .* \\(/.*\\)|\\1|p' /proc/self/maps");
	add_listed(
		"for name in libc.so.6 libm.so.6 libpthread.so.0 libstdc++.so.6 libgcc_s.so.1 "
		"libcrypto.so.3 libsqlite3.so.0; do cc -print-file-name=$name; done 2>/dev/null");
	add_listed(
		"for name in python3 /usr/bin/python3; do $name -c 'import sys; "
		"print(sys.executable)'; done 2>/dev/null");
	add_listed(
		"for name in python3 /usr/bin/python3; do $name -c '"
		"import os, re, numpy.linalg, _ctypes, _ssl, _sqlite3\n"
		"for line in open(\"/proc/self/maps\"):\n"
		"    found = re.search(\" r-xp .* (/.*)\", line)\n"
		"    if found: print(found.group(1))\n'; done 2>/dev/null");
	while (more && *more) {
		size_t length = strcspn(more, ":");
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%.*s", (int)length, more);
		add_file(path);
		more += length + (more[length] == ':');
	}
	assert_true(file_count > 3);
	for (size_t i = 0; i < file_count; i++) {
		judge_file(files[i]);
		free(files[i]);
	}
}

static void test_vdso(void **state)
{
	const Elf64_Ehdr *image = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	struct unwind_rows rows;
	double start = now();
	size_t size;
	Elf *elf;

	(void)state;
	if (!image) {
		print_message("  SKIP: this process has no vDSO\n");
		skip();
	}
	elf_version(EV_CURRENT);
	size = image->e_shoff + (size_t)image->e_shnum * image->e_shentsize;
	assert_true(size < VDSO_LIMIT);
	assert_int_equal(unwind_rows__compile_memory(image, size, &rows), 0);
	assert_true(rows.count > 10);
	start = now() - start;
	elf = elf_memory((char *)image, size);
	assert_non_null(elf);
	judge("vDSO", elf, &rows, start);
	elf_end(elf);
	unwind_rows__clear(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_vdso),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
