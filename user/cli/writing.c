// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/writing.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/opening.h"
#include "export/output.h"
#include "report/html.h"

static void complain(const char *output, int error)
{
	if (error == -ELOOP)
		log__error("%s: not written: it is a link; give the file itself", output);
	else if (error == -EEXIST)
		log__error("%s: not written: it exists and is no regular file", output);
	else
		log__error("%s: cannot be written: %s", output, strerror(-error));
}

int writing__try(const char *output)
{
	struct output *file = NULL;
	int error = output && strcmp(output, "-") != 0 ? output__open(output, &file) : 0;

	if (error)
		complain(output, error);
	output__abandon(file);
	return error;
}

int writing__file(const char *output, const char *recording,
		  int (*print)(FILE *stream, void *context), void *context)
{
	struct output *file = NULL;
	FILE *stream = stdout;
	int error = 0;

	if (output && strcmp(output, "-") != 0) {
		error = output__open(output, &file);
		if (error) {
			complain(output, error);
			return error;
		}
		stream = output__stream(file);
	}
	error = print(stream, context);
	if (error == -EIO && ferror(stream)) {
		if (file) {
			error = output__error(file);
			complain(output, error);
		}
		output__abandon(file);
		return error;
	}
	if (error) {
		output__abandon(file);
		opening__complain(recording, error);
		return error;
	}
	error = file ? output__finish(file) : 0;
	if (error)
		complain(output, error);
	return error;
}

bool writing__has_page(void)
{
	if (html_report__available())
		return true;
	log__error(
		"this pipescope was built without the HTML report: run scripts/setup.sh where its "
		"source is, which gets what is needed from npm, and build it again");
	return false;
}
