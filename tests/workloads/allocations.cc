// SPDX-License-Identifier: GPL-2.0-or-later
/* allocations burst ROUNDS | busy WORK [THREADS] | rounds ROUNDS WORK: allocates so that it knows how
 * often and how much.
 *
 * burst: says "ready", waits until somebody has set a breakpoint in its malloc, then for a moment,
 * then does ROUNDS of each function; says what it did as JSON, and waits until all breakpoints are
 * gone. busy: after a line from stdin each thread goes on, WORK loops between blocks, until SIGUSR1; at
 * each SIGUSR2 and at the end it says how many rounds were done, their CPU time, and that of loops
 * without blocks in turn with them: how fast the node is changes by half within seconds. The same of
 * rounds that met no breakpoint. rounds: the same for so many ROUNDS of one thread.
 *
 * Each block is filled and looked at before it goes: damage ends the program by abort(). At the end
 * the first bytes of the allocators must be what they were at the beginning. */
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <thread>
#include <unistd.h>
#include <vector>

#define APART __attribute__((noinline, noclone))

static const char *const names[] = {"malloc", "calloc", "realloc", "free", "posix_memalign",
				    "memalign", "aligned_alloc"};
static const size_t name_count = sizeof(names) / sizeof(names[0]);
static const unsigned char *code[name_count];
static unsigned char before[name_count][16];

static void look_at_code()
{
	for (size_t i = 0; i < name_count; i++) {
		code[i] = (const unsigned char *)dlsym(RTLD_DEFAULT, names[i]);
		memcpy(before[i], code[i], sizeof(before[i]));
	}
}

static bool is_clean()
{
	for (size_t i = 0; i < name_count; i++)
		if (memcmp(before[i], code[i], sizeof(before[i])))
			return false;
	return true;
}

static void nap(long milliseconds)
{
	const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	nanosleep(&pause, nullptr);
}

static uint64_t cpu_ns()
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* What was asked for. */
struct done {
	uint64_t calls, bytes;
};
static struct done of_malloc, of_calloc, of_realloc, of_memalign, of_new, of_new_array;
static uint64_t frees, kept, kept_bytes;

static void use(void *block, size_t size)
{
	unsigned char *bytes = (unsigned char *)block;

	if (!block)
		abort();
	bytes[0] = bytes[size - 1] = (unsigned char)size;
	__asm__ volatile("" : : "r"(block) : "memory");
	if (bytes[0] != (unsigned char)size || bytes[size - 1] != (unsigned char)size)
		abort();
}

static void count(struct done &done, size_t size)
{
	done.calls++;
	done.bytes += size;
}

static void drop(void *block)
{
	frees++;
	free(block);
}

APART void small_blocks(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		size_t size = 40 + i % 32;
		void *block = malloc(size);

		count(of_malloc, size);
		use(block, size);
		drop(block);
	}
}

APART void large_blocks(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds / 8; i++) {
		size_t size = 3000 + i % 1000;
		void *block = malloc(size);

		count(of_malloc, size);
		use(block, size);
		drop(block);
	}
}

APART void zeroed_blocks(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds / 4; i++) {
		void *block = calloc(7, 16);

		count(of_calloc, 112);
		use(block, 112);
		drop(block);
	}
}

APART void growing_blocks(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds / 16; i++) {
		void *block = nullptr;

		for (size_t size = 100; size <= 1600; size *= 2) {
			block = realloc(block, size);
			count(of_realloc, size);
			use(block, size);
		}
		drop(block);
	}
}

APART void aligned_blocks(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds / 8; i++) {
		void *block = nullptr;

		if (posix_memalign(&block, 64, 500))
			abort();
		count(of_memalign, 500);
		use(block, 500);
		drop(block);
	}
}

APART void new_objects(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds / 4; i++) {
		char *object = (char *)::operator new(80);
		char *array = (char *)::operator new[](300);

		count(of_new, 80);
		count(of_new_array, 300);
		use(object, 80);
		use(array, 300);
		::operator delete(object);
		::operator delete[](array);
	}
}

APART void *kept_blocks(uint64_t rounds)
{
	void **last = nullptr;

	for (uint64_t i = 0; i < rounds / 32; i++) {
		void **block = (void **)malloc(1000);

		count(of_malloc, 1000);
		use(block, 1000);
		*block = last;
		last = block;
		kept++;
		kept_bytes += 1000;
	}
	return last;
}

static void *volatile kept_list;

static void burst(uint64_t rounds)
{
	puts("ready");
	fflush(stdout);
	while (code[0][0] == before[0][0])
		nap(5);
	nap(500); /* the others follow */
	of_malloc = of_calloc = of_realloc = of_memalign = of_new = of_new_array = {0, 0};
	frees = 0;
	small_blocks(rounds);
	large_blocks(rounds);
	zeroed_blocks(rounds);
	growing_blocks(rounds);
	aligned_blocks(rounds);
	new_objects(rounds);
	kept_list = kept_blocks(rounds);
	printf("{\"pid\": %d, \"frees\": %llu, \"kept\": %llu, \"kept_bytes\": %llu, \"calls\": {"
	       "\"malloc\": [%llu, %llu], \"calloc\": [%llu, %llu], \"realloc\": [%llu, %llu], "
	       "\"posix_memalign\": [%llu, %llu], \"operator new\": [%llu, %llu], "
	       "\"operator new[]\": [%llu, %llu]}, \"functions\": {\"large_blocks\": %llu, "
	       "\"growing_blocks\": %llu, \"aligned_blocks\": %llu, \"kept_blocks\": %llu}}\n",
	       getpid(), (unsigned long long)frees, (unsigned long long)kept,
	       (unsigned long long)kept_bytes, (unsigned long long)of_malloc.calls,
	       (unsigned long long)of_malloc.bytes, (unsigned long long)of_calloc.calls,
	       (unsigned long long)of_calloc.bytes, (unsigned long long)of_realloc.calls,
	       (unsigned long long)of_realloc.bytes, (unsigned long long)of_memalign.calls,
	       (unsigned long long)of_memalign.bytes, (unsigned long long)of_new.calls,
	       (unsigned long long)of_new.bytes, (unsigned long long)of_new_array.calls,
	       (unsigned long long)of_new_array.bytes,
	       (unsigned long long)(rounds / 8 * 3000 + (rounds / 8) / 1000 * 499500),
	       (unsigned long long)(rounds / 16 * 3100), (unsigned long long)(rounds / 8 * 500),
	       (unsigned long long)kept_bytes);
	fflush(stdout);
	for (int i = 0; i < 2000 && !is_clean(); i++)
		nap(10);
}

static void loop(uint64_t count)
{
	for (volatile uint64_t i = 0; i < count; i = i + 1)
		;
}

static uint64_t one_round(uint64_t number, uint64_t work)
{
	size_t size = 32 + number % 200;
	char *block = (char *)malloc(size);

	use(block, size);
	free(block);
	loop(work);
	return number + 1;
}

static volatile sig_atomic_t ended, asked;

static void on_signal(int signal)
{
	*(signal == SIGUSR1 ? &ended : &asked) = 1;
}

struct sums {
	std::atomic<uint64_t> rounds, cpu_ns, loops_ns;
};
static sums all, bare;

static void say()
{
	printf("{\"rounds\": %llu, \"cpu_ns\": %llu, \"loops_ns\": %llu, \"bare_rounds\": %llu, "
	       "\"bare_cpu_ns\": %llu, \"bare_loops_ns\": %llu, \"clean\": %d}\n",
	       (unsigned long long)all.rounds, (unsigned long long)all.cpu_ns,
	       (unsigned long long)all.loops_ns, (unsigned long long)bare.rounds,
	       (unsigned long long)bare.cpu_ns, (unsigned long long)bare.loops_ns, is_clean());
	fflush(stdout);
}

static void add(sums &sums, uint64_t rounds, uint64_t cpu, uint64_t loops)
{
	sums.rounds += rounds;
	sums.cpu_ns += cpu;
	sums.loops_ns += loops;
}

static uint64_t lap(uint64_t &last)
{
	uint64_t now = cpu_ns(), took = now - last;

	last = now;
	return took;
}

static void go_on(uint64_t rounds, uint64_t work, bool speaks)
{
	uint64_t number = 0, last = cpu_ns();
	uint64_t each = work < 10000 ? 100 : 1000000 / work + 1; /* rounds at a time */

	do {
		bool clean = is_clean();
		uint64_t cpu, loops;

		for (uint64_t i = 0; i < each; i++)
			number = one_round(number, work);
		cpu = lap(last);
		loop(each * (work + 100) / 4);
		loops = lap(last);
		add(all, each, cpu, loops);
		if (clean && is_clean())
			add(bare, each, cpu, loops);
		if (speaks && asked) {
			asked = 0;
			say();
		}
	} while (!ended && (!rounds || number < rounds));
}

static void start(int threads, uint64_t rounds, uint64_t work)
{
	std::vector<std::thread> others;
	char line[16];

	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return;
	for (int i = 1; i < threads; i++)
		others.emplace_back(go_on, rounds, work, false);
	go_on(rounds, work, true);
	for (std::thread &other : others)
		other.join();
	say();
	for (int i = 0; i < 1000 && !is_clean(); i++)
		nap(10);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	look_at_code();
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	if (!strcmp(argv[1], "burst"))
		burst(strtoull(argv[2], nullptr, 10));
	else if (!strcmp(argv[1], "busy"))
		start(argc > 3 ? atoi(argv[3]) : 1, 0, strtoull(argv[2], nullptr, 10));
	else if (!strcmp(argv[1], "rounds") && argc == 4)
		start(1, strtoull(argv[2], nullptr, 10), strtoull(argv[3], nullptr, 10));
	else
		return 2;
	puts(is_clean() ? "clean" : "breakpoints are left");
	return is_clean() ? 0 : 1;
}
