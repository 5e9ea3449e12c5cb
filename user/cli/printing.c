// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/printing.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_WIDTH 80
#define LEAST_WIDTH   40
#define MOST_WIDTH    1000

enum format printing__format(struct argp_state *state, const char *argument, bool html)
{
	static const char *const formats[] = {
		[FORMAT_TEXT] = "text",
		[FORMAT_JSON] = "json",
		[FORMAT_CSV] = "csv",
		[FORMAT_HTML] = "html",
	};
	size_t count = html ? FORMAT_HTML + 1 : FORMAT_HTML;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(argument, formats[i]))
			return (enum format)i;
	argp_error(state, "there is no format '%s'; formats are: text, json, csv%s", argument,
		   html ? ", html" : "");
	return FORMAT_TEXT;
}

size_t printing__limit(struct argp_state *state, const char *argument)
{
	unsigned long long limit;
	char *rest;

	errno = 0;
	limit = strtoull(argument, &rest, 10);
	if (errno || *rest || *argument < '0' || *argument > '9' || limit > SIZE_MAX)
		argp_error(state, "--limit takes a number of rows, not '%s'", argument);
	return (size_t)limit;
}

size_t printing__width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	unsigned long width = 0;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		width = size.ws_col;
	if (!width && columns)
		width = strtoul(columns, NULL, 10);
	if (!width)
		return DEFAULT_WIDTH;
	return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
}
