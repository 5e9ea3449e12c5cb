// SPDX-License-Identifier: GPL-2.0-or-later
// Links: symbols unwind base
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbols/elf.h"

/* Functions with known extents: outer [0, 32) around inner [16, 24), then 16 bytes that belong to
 * a symbol without a size, then a label of 8 bytes, then one place with five names. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl symbols_test_outer, symbols_test_inner, symbols_test_gap, symbols_test_label\n"
	".globl symbols_test_alias, _symbols_test_alias, aa_symbols_test_label_alias\n"
	".weak _symbols_test_aa_weak\n"
	".type symbols_test_outer, %function\n"
	".type symbols_test_inner, %function\n"
	".type symbols_test_gap, %function\n"
	".type symbols_test_alias, %function\n"
	".type _symbols_test_alias, %function\n"
	".type _symbols_test_aa_weak, %function\n"
	".type symbols_test_aa_local, %function\n"
	"symbols_test_outer: .skip 16\n"
	"symbols_test_inner: .skip 8\n"
	".size symbols_test_inner, 8\n"
	".skip 8\n"
	".size symbols_test_outer, 32\n"
	"symbols_test_gap: .skip 16\n"
	"symbols_test_label: .skip 8\n"
	".size symbols_test_label, 8\n"
	".skip 8\n"
	"_symbols_test_alias:\n"
	"symbols_test_aa_local:\n"
	"aa_symbols_test_label_alias:\n"
	"_symbols_test_aa_weak:\n"
	"symbols_test_alias: .skip 16\n"
	".size _symbols_test_alias, 16\n"
	".size symbols_test_aa_local, 16\n"
	".size aa_symbols_test_label_alias, 16\n"
	".size _symbols_test_aa_weak, 16\n"
	".size symbols_test_alias, 16\n"
	".popsection\n");

extern const char symbols_test_outer[], symbols_test_gap[], symbols_test_label[],
	symbols_test_alias[];

static char work[64];

/* --- Helpers. */

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", work, name);
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A shell command in the work directory; its exit code. */
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

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *stream;

	path_of(path, sizeof(path), name);
	stream = fopen(path, "w");
	assert_non_null(stream);
	assert_int_equal(fputs(text, stream) >= 0, 1);
	assert_int_equal(fclose(stream), 0);
}

static struct elf_symbols *open_path(const char *path, const char *debug_root)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf_symbols *symbols = NULL;

	assert_true(fd >= 0);
	assert_int_equal(elf_symbols__open_with(fd, path, debug_root, &symbols), 0);
	return symbols;
}

static struct elf_symbols *open_work(const char *name, const char *debug_root)
{
	char path[256];

	path_of(path, sizeof(path), name);
	return open_path(path, debug_root);
}

/* The mapping of this process that holds pc, as the recorder would see it. */
static struct elf_symbols *open_mapped(const void *pc, uint64_t *ret_address)
{
	_cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
	uint64_t start, end, offset, address = (uintptr_t)pc;
	char line[4096], path[4096];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		struct elf_symbols *symbols;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095[^\n]",
			   &start, &end, &offset, path) != 4 ||
		    address < start || address >= end)
			continue;
		symbols = open_path(path, NULL);
		assert_int_equal(elf_symbols__vaddr(symbols, address - start + offset, ret_address),
				 0);
		return symbols;
	}
	fail_msg("no mapping holds %p", pc);
	return NULL;
}

static void assert_named(struct elf_symbols *symbols, uint64_t address, const char *name,
			 uint64_t start, uint64_t size)
{
	struct elf_symbol found = {0};

	assert_int_equal(elf_symbols__find(symbols, address, &found), 0);
	assert_string_equal(found.name, name);
	assert_int_equal(found.start, start);
	if (size)
		assert_int_equal(found.size, size);
}

static void assert_nameless(struct elf_symbols *symbols, uint64_t address)
{
	struct elf_symbol found = {.name = "untouched"};

	assert_int_equal(elf_symbols__find(symbols, address, &found), -ENOENT);
	assert_string_equal(found.name, "untouched");
}

/* Address of a function of a file by binutils; 0: not there. */
static uint64_t address_by(const char *command)
{
	char whole[512];
	uint64_t address = 0;
	FILE *pipe;

	snprintf(whole, sizeof(whole), "cd %s && %s", work, command);
	pipe = popen(whole, "r");
	assert_non_null(pipe);
	if (fscanf(pipe, "%" SCNx64, &address) != 1)
		address = 0;
	pclose(pipe);
	return address;
}

static bool have_tools(void)
{
	static int missing = -1;

	if (missing < 0)
		missing =
			run("for tool in cc objcopy objdump nm; do command -v $tool >/dev/null || "
			    "exit 1; done");
	if (missing)
		print_message("SKIP: cc or binutils (objcopy, objdump, nm) is not installed\n");
	return !missing;
}

/* A library with an exported and a local function, and what strip and objcopy make of it. */
static void make_library(void)
{
	if (!run("test -e whole.so"))
		return;
	write_file("library.c",
		   "#include <unistd.h>\n"
		   "__attribute__((noinline)) static int secret(int a)\n"
		   "{ __asm__ volatile(\"\" : \"+r\"(a)); return a * 3; }\n"
		   "int known(int a) { return secret(a) + getppid(); }\n");
	assert_int_equal(run("cc -O1 -fPIC -shared -Wl,--build-id=sha1 -o whole.so library.c"), 0);
	assert_int_equal(run("objcopy --only-keep-debug whole.so whole.debug"), 0);
	assert_int_equal(run("objcopy --strip-all whole.so plain.so"), 0);
	assert_int_equal(run("objcopy --strip-all --add-gnu-debuglink=whole.debug whole.so "
			     "linked.so"),
			 0);
	assert_int_equal(run("mkdir -p away empty && mv whole.debug away/"), 0);
}

/* --- ELF. */

static void test_own_functions(void **state)
{
	uint64_t at;
	struct elf_symbols *symbols = open_mapped((void *)test_own_functions, &at);
	struct elf_symbols *again;

	(void)state;
	assert_int_equal(elf_symbols__count(symbols), 0);
	assert_named(symbols, at, "test_own_functions", at, 0);
	assert_named(symbols, at + 5, "test_own_functions", at, 0);
	assert_true(elf_symbols__count(symbols) > 10);
	elf_symbols__free(symbols);

	again = open_mapped((void *)have_tools, &at);
	assert_named(again, at, "have_tools", at, 0);
	elf_symbols__free(again);
	elf_symbols__free(NULL);
}

static void test_extents(void **state)
{
	uint64_t outer, gap, label;
	struct elf_symbols *symbols = open_mapped(symbols_test_outer, &outer);

	(void)state;
	gap = outer + (uint64_t)(symbols_test_gap - symbols_test_outer);
	label = outer + (uint64_t)(symbols_test_label - symbols_test_outer);
	assert_named(symbols, outer, "symbols_test_outer", outer, 32);
	assert_named(symbols, outer + 15, "symbols_test_outer", outer, 32);
	assert_named(symbols, outer + 16, "symbols_test_inner", outer + 16, 8);
	assert_named(symbols, outer + 23, "symbols_test_inner", outer + 16, 8);
	assert_named(symbols, outer + 24, "symbols_test_outer", outer, 32);
	assert_named(symbols, outer + 31, "symbols_test_outer", outer, 32);
	for (uint64_t i = 0; i < 16; i++)
		assert_nameless(symbols, gap + i);
	assert_named(symbols, label + 7, "symbols_test_label", label, 8);
	assert_nameless(symbols, label + 8);
	assert_nameless(symbols, 0);
	assert_nameless(symbols, UINT64_MAX);
	elf_symbols__free(symbols);
}

static void test_aliases(void **state)
{
	uint64_t at;
	struct elf_symbols *symbols = open_mapped(symbols_test_alias, &at);

	(void)state;
	assert_named(symbols, at + 3, "symbols_test_alias", at, 16);
	elf_symbols__free(symbols);
}

struct aliases {
	uint64_t at;
	size_t count;
	bool first; /* the best name came first */
};

static int take_alias(void *context, const struct elf_symbol *symbol)
{
	struct aliases *aliases = context;

	if (symbol->start == aliases->at && symbol->size == 16) {
		aliases->first |= !aliases->count && !strcmp(symbol->name, "symbols_test_alias");
		aliases->count++;
	}
	return 0;
}

static void test_kept_aliases(void **state)
{
	struct aliases aliases = {0};
	struct elf_symbols *symbols = open_mapped(symbols_test_alias, &aliases.at);

	(void)state;
	elf_symbols__keep_aliases(symbols);
	assert_int_equal(elf_symbols__each(symbols, take_alias, &aliases), 0);
	assert_true(aliases.first);
	assert_true(aliases.count >= 3);
	elf_symbols__free(symbols);
}

static void test_libc(void **state)
{
	uint64_t at;
	struct elf_symbols *symbols = open_mapped((void *)getppid, &at);
	size_t size = 0;

	(void)state;
	assert_named(symbols, at, "getppid", at, 0);
	assert_non_null(elf_symbols__build_id(symbols, &size));
	assert_int_equal(size, 20);
	elf_symbols__free(symbols);
}

static void test_address_of_offset(void **state)
{
	uint64_t at, address = 77;
	struct elf_symbols *symbols = open_mapped((void *)test_own_functions, &at);

	(void)state;
	/* open_mapped has tested real offsets; these are in no segment. */
	assert_int_equal(elf_symbols__vaddr(symbols, UINT64_MAX, &address), -ENOENT);
	assert_int_equal(elf_symbols__vaddr(symbols, 1ull << 40, &address), -ENOENT);
	assert_int_equal(address, 77);
	elf_symbols__free(symbols);
}

static void test_stripped(void **state)
{
	uint64_t known, secret;
	struct elf_symbols *symbols;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	known = address_by("nm whole.so | sed -n 's/ T known//p'");
	secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	assert_true(known && secret);

	symbols = open_work("whole.so", NULL);
	assert_named(symbols, known + 1, "known", known, 0);
	assert_named(symbols, secret + 1, "secret", secret, 0);
	elf_symbols__free(symbols);

	symbols = open_work("plain.so", NULL);
	assert_named(symbols, known + 1, "known", known, 0);
	assert_nameless(symbols, secret + 1);
	elf_symbols__free(symbols);
}

static void test_plt(void **state)
{
	uint64_t stub, resolver;
	struct elf_symbols *symbols;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	stub = address_by("objdump -d plain.so | sed -n 's/ <getppid@plt>:$//p'");
	resolver = address_by("objdump -h plain.so | awk '$2 == \".plt\" { print $4 }'");
	if (!stub || !resolver) {
		print_message("SKIP: this compiler makes no procedure linkage table\n");
		skip();
	}
	symbols = open_work("plain.so", NULL);
#ifdef __x86_64__
	assert_named(symbols, stub, "getppid@plt", stub, 16);
	assert_named(symbols, stub + 15, "getppid@plt", stub, 16);
#else
	assert_named(symbols, stub, "plt", resolver, 0);
#endif
	assert_named(symbols, resolver, "plt", resolver, 0);
	elf_symbols__free(symbols);
}

/* Whether name's local function is found with the debug files below root (NULL: none). */
static bool finds_secret(const char *name, const char *root)
{
	uint64_t secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	char root_path[256];
	struct elf_symbols *symbols;
	struct elf_symbol found;
	int err;

	path_of(root_path, sizeof(root_path), root ? root : "");
	symbols = open_work(name, root ? root_path : NULL);
	err = elf_symbols__find(symbols, secret, &found);
	if (!err)
		assert_string_equal(found.name, "secret");
	else
		assert_int_equal(err, -ENOENT);
	assert_int_equal(elf_symbols__debug_path(symbols) != NULL, !err);
	elf_symbols__free(symbols);
	return !err;
}

static void test_debug_link(void **state)
{
	(void)state;
	if (!have_tools())
		skip();
	make_library();
	assert_false(finds_secret("linked.so", "empty"));

	assert_int_equal(run("cp away/whole.debug ."), 0);
	assert_true(finds_secret("linked.so", "empty"));
	assert_false(finds_secret("linked.so", NULL));
	assert_false(finds_secret("plain.so", "empty"));

	/* Not the file that the link means: other bytes, and no build id that speaks for them. */
	assert_int_equal(run("objcopy --remove-section .note.gnu.build-id whole.debug"), 0);
	assert_false(finds_secret("linked.so", "empty"));

	assert_int_equal(run("rm whole.debug; mkdir .debug && cp away/whole.debug .debug/"), 0);
	assert_true(finds_secret("linked.so", "empty"));
	assert_int_equal(run("rm -r .debug"), 0);

	assert_int_equal(run("mkdir -p root%s && cp away/whole.debug root%s/", work, work), 0);
	assert_true(finds_secret("linked.so", "root"));
	assert_false(finds_secret("linked.so", "empty"));

	/* Something that blocks when it is opened must not be opened. */
	assert_int_equal(run("mkfifo whole.debug"), 0);
	assert_false(finds_secret("linked.so", "empty"));
	assert_int_equal(run("rm whole.debug"), 0);
}

static void test_debug_name(void **state)
{
	(void)state;
	if (!have_tools())
		skip();
	make_library();
	assert_int_equal(run("cp away/whole.debug plain.so.debug"), 0);
	assert_true(finds_secret("plain.so", "empty"));
	/* Without a build id nothing says that it belongs. */
	assert_int_equal(run("objcopy --remove-section .note.gnu.build-id plain.so.debug"), 0);
	assert_false(finds_secret("plain.so", "empty"));
	assert_int_equal(run("rm plain.so.debug; mkdir -p .debug && "
			     "cp away/whole.debug .debug/plain.so.debug"),
			 0);
	assert_true(finds_secret("plain.so", "empty"));
	assert_int_equal(run("rm -r .debug"), 0);
}

/* Puts name's table of functions into it as distributions do: packed.so, or damaged.so with a wrong
 * byte in the middle of the xz stream. */
static void make_mini(const char *from, size_t flip, const char *to)
{
	static uint8_t plain[1 << 20], packed[1 << 20];
	size_t size, packed_size = 0;
	char path[256];
	FILE *stream;

	path_of(path, sizeof(path), from);
	stream = fopen(path, "r");
	assert_non_null(stream);
	size = fread(plain, 1, sizeof(plain), stream);
	fclose(stream);
	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, plain, size, packed,
						 &packed_size, sizeof(packed)),
			 LZMA_OK);
	if (flip)
		packed[packed_size / flip] ^= 0x40;
	path_of(path, sizeof(path), "mini.xz");
	stream = fopen(path, "w");
	assert_non_null(stream);
	assert_int_equal(fwrite(packed, 1, packed_size, stream), packed_size);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(run("objcopy --add-section .gnu_debugdata=mini.xz plain.so %s", to), 0);
}

static void test_mini_debug(void **state)
{
	uint64_t secret, known;
	struct elf_symbols *symbols;
	struct elf_symbol found;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	known = address_by("nm whole.so | sed -n 's/ T known//p'");
	make_mini("away/whole.debug", 0, "mini.so");
	symbols = open_work("mini.so", NULL);
	assert_named(symbols, secret, "secret", secret, 0);
	assert_named(symbols, known, "known", known, 0);
	assert_null(elf_symbols__debug_path(symbols));
	elf_symbols__free(symbols);

	/* Damage costs those names, not the file's own. */
	make_mini("away/whole.debug", 2, "damaged.so");
	symbols = open_work("damaged.so", NULL);
	assert_int_equal(elf_symbols__find(symbols, secret, &found), -ENOENT);
	assert_named(symbols, known, "known", known, 0);
	elf_symbols__free(symbols);
}

/* Without a symbol: no name, but where the function begins. */
static void test_extent(void **state)
{
	uint64_t secret, known;
	struct elf_symbols *symbols;
	struct elf_symbol found;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	known = address_by("nm whole.so | sed -n 's/ T known//p'");
	symbols = open_work("plain.so", NULL);
	assert_int_equal(elf_symbols__find(symbols, secret + 1, &found), -ENOENT);
	assert_int_equal(elf_symbols__extent(symbols, secret + 1, &found), 0);
	assert_int_equal(found.start, secret);
	assert_true(found.size > 1 && found.size <= known - secret);
	assert_null(found.name);
	assert_int_equal(elf_symbols__extent(symbols, 1, &found), -ENOENT);
	elf_symbols__free(symbols);
	/* Not asked where names are known. */
	symbols = open_work("whole.so", NULL);
	assert_int_equal(elf_symbols__extent(symbols, secret, &found), -ENOENT);
	elf_symbols__free(symbols);
}

/* Who holds the DWARF: the file itself, its debug file, nobody. */
static void test_dwarf(void **state)
{
	static const struct {
		const char *file;
		bool has;
	} files[] = {{"g.so", true},	 {"g-split.so", true}, {"g-kept.so", true}, {"z.so", true},
		     {"z-gnu.so", true}, {"whole.so", false},  {"plain.so", false}};

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	assert_int_equal(run("cc -g -O1 -fPIC -shared -Wl,--build-id=sha1 -o g.so library.c && "
			     "objcopy --only-keep-debug g.so g-split.so.debug && "
			     "cp g-split.so.debug g-kept.so.debug && "
			     "objcopy --strip-all g.so g-split.so && "
			     "objcopy --strip-debug g.so g-kept.so && "
			     "objcopy --compress-debug-sections=zlib g.so z.so && "
			     "objcopy --compress-debug-sections=zlib-gnu g.so z-gnu.so"),
			 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct elf_symbols *symbols = open_work(files[i].file, "/nonexistent");
		int fd = elf_symbols__take_dwarf(symbols);

		assert_int_equal(fd >= 0, files[i].has);
		if (fd >= 0)
			close(fd);
		assert_int_equal(elf_symbols__take_dwarf(symbols), -ENOENT);
		elf_symbols__free(symbols);
	}
}

static void test_build_id(void **state)
{
	const uint8_t *id;
	struct elf_symbols *symbols;
	char hex[41];
	size_t size = 0;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	symbols = open_work("plain.so", NULL);
	id = elf_symbols__build_id(symbols, &size);
	assert_non_null(id);
	assert_int_equal(size, 20);
	for (size_t i = 0; i < size; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	elf_symbols__free(symbols);

	assert_int_equal(run("mkdir -p ids/.build-id/%.2s && cp away/whole.debug "
			     "ids/.build-id/%.2s/%s.debug",
			     hex, hex, hex + 2),
			 0);
	assert_true(finds_secret("plain.so", "ids"));

	/* Another file's debug file in its place. */
	assert_int_equal(run("cc -O1 -fPIC -shared -Wl,--build-id=sha1 -DOTHER -g -o other.so "
			     "library.c && objcopy --only-keep-debug other.so "
			     "ids/.build-id/%.2s/%s.debug",
			     hex, hex + 2),
			 0);
	assert_false(finds_secret("plain.so", "ids"));
}

/* The debug directory inside a container goes by the container's root. */
static void test_container_root(void **state)
{
	char path[512], root[256];
	uint64_t secret;
	struct elf_symbols *symbols;
	struct elf_symbol found;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	assert_int_equal(run("mkdir -p inside%s && cp away/whole.debug inside%s/", work, work), 0);
	snprintf(path, sizeof(path), "/proc/%d/root%s/linked.so", getpid(), work);
	path_of(root, sizeof(root), "inside");
	symbols = open_path(path, root);
	assert_int_equal(elf_symbols__find(symbols, secret, &found), 0);
	assert_string_equal(found.name, "secret");
	assert_memory_equal(elf_symbols__debug_path(symbols), "/proc/", 6);
	elf_symbols__free(symbols);
}

/* Compresses .strtab in place, keeping all offsets. */
static void compress_strings(const char *name)
{
	char path[256];
	Elf_Scn *section = NULL;
	size_t names;
	Elf *elf;
	int fd, done = 0;

	path_of(path, sizeof(path), name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_RDWR, NULL);
	assert_non_null(elf);
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		assert_non_null(gelf_getshdr(section, &header));
		if (strcmp(elf_strptr(elf, names, header.sh_name), ".strtab"))
			continue;
		assert_int_equal(elf_compress(section, ELFCOMPRESS_ZLIB, ELF_CHF_FORCE), 1);
		assert_non_null(gelf_getshdr(section, &header));
		elf_flagscn(section, ELF_C_SET, ELF_F_DIRTY);
		elf_flagshdr(section, ELF_C_SET, ELF_F_DIRTY);
		done = (header.sh_flags & SHF_COMPRESSED) != 0;
	}
	assert_int_equal(done, 1);
	assert_true(elf_update(elf, ELF_C_WRITE) > 0);
	elf_end(elf);
	close(fd);
}

static void test_compressed(void **state)
{
	uint64_t secret;
	struct elf_symbols *symbols;

	(void)state;
	if (!have_tools())
		skip();
	make_library();
	secret = address_by("nm whole.so | sed -n 's/ t secret//p'");
	assert_int_equal(run("cp whole.so packed.so"), 0);
	compress_strings("packed.so");
	assert_int_equal(run("cmp -s whole.so packed.so"), 1);
	symbols = open_work("packed.so", NULL);
	assert_named(symbols, secret, "secret", secret, 0);
	elf_symbols__free(symbols);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {"",
					    "\x7f"
					    "ELF",
					    "!<arch>\n", "#!/bin/sh\n"};
	struct elf_symbols *symbols = (void *)0x1;
	char path[256];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		write_file("bad", texts[i]);
		path_of(path, sizeof(path), "bad");
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_int_equal(elf_symbols__open(fd, path, &symbols), -EBADMSG);
		close(fd);
	}
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_symbols__open(fd, "/", &symbols), -EBADMSG);
	close(fd);
	assert_int_equal(elf_symbols__open(-1, NULL, &symbols), -EBADF);
	assert_ptr_equal(symbols, (void *)0x1);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(work, sizeof(work), "/tmp/test_symbols.XXXXXX");
	return mkdtemp(work) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return run("rm -rf %s", work);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_functions),  cmocka_unit_test(test_extents),
		cmocka_unit_test(test_aliases),	       cmocka_unit_test(test_kept_aliases),
		cmocka_unit_test(test_libc),	       cmocka_unit_test(test_address_of_offset),
		cmocka_unit_test(test_stripped),       cmocka_unit_test(test_plt),
		cmocka_unit_test(test_debug_link),     cmocka_unit_test(test_debug_name),
		cmocka_unit_test(test_mini_debug),     cmocka_unit_test(test_dwarf),
		cmocka_unit_test(test_extent),	       cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_container_root), cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
