/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of names of files: what BPF tells, and the rows that it becomes; read back from a
 * recording. */
#ifndef UNIT_NAMES_FIXTURE_H
#define UNIT_NAMES_FIXTURE_H

#include <fcntl.h>

#include "capture/file_names.h"
#include "unit/store_fixture.h"

#define NOBODY 5000001u /* no process has this number */

static struct recording_writer *writer;
static struct file_names *names;
static struct recording *recording;

static int start(void **state)
{
	recording = NULL;
	names = NULL;
	return make_folder(state) || recording_writer__create(path, &writer) ||
	       file_names__new(writer, NULL, &names);
}

static void read_back(void)
{
	assert_int_equal(recording_writer__close(writer), 0);
	writer = NULL;
	assert_int_equal(recording__open(path, &recording), 0);
}

static int end(void **state)
{
	recording__close(recording);
	file_names__free(names);
	recording_writer__close(writer);
	return remove_folder(state);
}

/* --- events */

static struct ps_io_key key_of(uint8_t kind, uint64_t file)
{
	return (struct ps_io_key){.file = file, .device = 9, .kind = kind, .op = PS_IO_READ};
}

static struct ps_file_event event_of(uint8_t kind, uint64_t file, size_t size)
{
	return (struct ps_file_event){
		.event = {.type = PS_EVENT_FILE, .time_ns = 1, .tgid = NOBODY},
		.key = key_of(kind, file),
		.at = AT_FDCWD,
		.filesystem = "ext4",
		.text_size = (uint32_t)size,
	};
}

/* The text has exactly its size, so that the sanitizer sees who reads beyond it. */
static void tell(const struct ps_file_event *event, const char *text)
{
	char *exact = malloc(event->text_size + !event->text_size);

	assert_non_null(exact);
	memcpy(exact, text, event->text_size);
	assert_int_equal(file_names__on_event(names, event, exact), 0);
	free(exact);
}

#define TELL_FILE(file, text)                                                                      \
	do {                                                                                       \
		struct ps_file_event told = event_of(PS_IO_FILE, file, sizeof(text));              \
		tell(&told, text);                                                                 \
	} while (0)

static inline void tell_path(uint64_t file, uint32_t tgid, int at, const char *text)
{
	struct ps_file_event event = event_of(PS_IO_PATH, file, strlen(text) + 1);

	event.event.tgid = tgid;
	event.at = at;
	tell(&event, text);
}

static inline int64_t row(uint8_t kind, uint64_t file)
{
	struct ps_io_key key = key_of(kind, file);
	int64_t id = file_names__row(names, &key, 0);

	assert_true(id > 0);
	return id;
}

static void expect(int64_t id, const char *column, const char *text)
{
	const unsigned char *found;
	sqlite3_stmt *statement;
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT %s FROM file WHERE id = %lld", column, (long long)id);
	assert_int_equal(recording__prepare(recording, sql, &statement), 0);
	assert_int_equal(recording__step(statement), 1);
	found = sqlite3_column_text(statement, 0);
	assert_string_equal((const char *)found, text);
	sqlite3_finalize(statement);
}

#endif
