// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/opening.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/reader.h"

static const struct reason {
	int error;
	const char *words;
} reasons[] = {
	{-ENOENT, "there is no such file; 'pipescope record -o FILE' writes one"},
	{-EACCES, "not readable for you; recordings are readable for who made them and for root"},
	{-EISDIR, "that is a directory; give the recording in it"},
	{-EMEDIUMTYPE, "this is no recording of pipescope; give a file of 'pipescope record'"},
	{-EPROTONOSUPPORT,
	 "a newer pipescope wrote this, in a layout that this one does not know; read it with "
	 "that version"},
	{-EBADMSG, "the recording is damaged; record again, or use another copy"},
	{-ENOMEM, "not enough memory for this recording"},
	{-EBUSY, "another program holds the recording locked; try again later"},
};

error_t opening__argument(int key, char *argument, struct argp_state *state, const char **path)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (*path)
			argp_error(state, "one recording at a time; '%s' is one more", argument);
		*path = argument;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which recording? Give the file that 'pipescope record' wrote");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void opening__complain(const char *path, int error)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].error == error) {
			log__error("%s: %s", path, reasons[i].words);
			return;
		}
	}
	log__error("%s: cannot be read: %s", path, strerror(-error));
}

int opening__load(const char *path, struct tables **ret_tables)
{
	struct recording *recording;
	int error;

	error = recording__open(path, &recording);
	if (!error) {
		error = tables__load(recording, ret_tables);
		if (error)
			recording__close(recording);
	}
	if (error)
		opening__complain(path, error);
	return error;
}

void opening__close(struct tables **tables)
{
	struct recording *recording = *tables ? (*tables)->recording : NULL;

	tables__free(*tables);
	recording__close(recording);
}
