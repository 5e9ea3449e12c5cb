// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/debuginfod.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "symbols/elf_file.h"

#define MOST_SECONDS 30

/* As elfutils/debuginfod.h has it, which need not be installed. */
struct debuginfod_client;
typedef int debuginfod_progress(struct debuginfod_client *client, long done, long all);

struct library {
	struct debuginfod_client *(*begin)(void);
	void (*end)(struct debuginfod_client *client);
	void (*set_progress)(struct debuginfod_client *client, debuginfod_progress *progress);
	void (*set_data)(struct debuginfod_client *client, void *data);
	void *(*get_data)(struct debuginfod_client *client);
	int (*find)(struct debuginfod_client *client, const unsigned char *build_id, int size,
		    char **ret_path);
};

struct fetching {
	const atomic_bool *stop;
	time_t end; /* CLOCK_MONOTONIC */
};

bool debuginfod__wanted(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && urls[strspn(urls, " ")];
}

/* Called by one thread. It stays loaded: libcurl, which it uses, cannot be unloaded. */
static const struct library *load(void)
{
	static struct library library;
	static bool tried;
	void *handle;

	if (!tried) {
		tried = true;
		handle = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL);
		if (!handle)
			return NULL;
		*(void **)&library.begin = dlsym(handle, "debuginfod_begin");
		*(void **)&library.end = dlsym(handle, "debuginfod_end");
		*(void **)&library.set_progress = dlsym(handle, "debuginfod_set_progressfn");
		*(void **)&library.set_data = dlsym(handle, "debuginfod_set_user_data");
		*(void **)&library.get_data = dlsym(handle, "debuginfod_get_user_data");
		*(void **)&library.find = dlsym(handle, "debuginfod_find_debuginfo");
	}
	return library.begin && library.end && library.set_progress && library.set_data &&
			       library.get_data && library.find
		       ? &library
		       : NULL;
}

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static const struct library *loaded;

/* Not 0: no further. */
static int on_progress(struct debuginfod_client *client, long done, long all)
{
	const struct fetching *fetching = loaded->get_data(client);

	(void)done;
	(void)all;
	return !fetching || atomic_load(fetching->stop) || seconds() >= fetching->end;
}

static bool is_wanted_file(int fd, const uint8_t *build_id, size_t size)
{
	struct elf_file file;
	bool is;

	if (elf_file__open(fd, &file))
		return false;
	is = elf_file__has_dwarf(&file) && file.build_id_size == size &&
	     !memcmp(file.build_id, build_id, size);
	elf_file__close(&file);
	return is;
}

int debuginfod__fetch(const uint8_t *build_id, size_t size, const atomic_bool *stop)
{
	struct fetching fetching = {.stop = stop, .end = seconds() + MOST_SECONDS};
	struct debuginfod_client *client;
	char *path = NULL;
	int fd;

	loaded = load();
	client = loaded ? loaded->begin() : NULL;
	if (!client)
		return -ENOENT;
	loaded->set_data(client, &fetching);
	loaded->set_progress(client, on_progress);
	fd = loaded->find(client, build_id, (int)size, &path);
	loaded->end(client);
	free(path);
	if (atomic_load(stop)) {
		if (fd >= 0)
			close(fd);
		return -ECANCELED;
	}
	if (fd >= 0 && is_wanted_file(fd, build_id, size))
		return fd;
	if (fd >= 0)
		close(fd);
	return -ENOENT;
}
