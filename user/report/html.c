// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/html.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/page_fit.h"

/* Empty when the page could not be built. */
static const char template[] =
#include "page.html.inc"
	"";

/* Stands in the template, once, where the data go. */
static const char mark[] = "@PIPESCOPE-DATA@";

bool html_report__available(void)
{
	return strstr(template, mark) != NULL;
}

int html_report__print(FILE *stream, struct tables *tables, const struct summary *summary)
{
	const char *at = strstr(template, mark);
	_cleanup_free_ char *data = NULL;
	size_t size = 0;
	int error;

	if (!at)
		return -ENOSYS;
	error = page_fit__pack(tables, summary, HTML_MOST_BYTES - sizeof(template), &data, &size);
	if (error)
		return error;
	fwrite(template, 1, (size_t)(at - template), stream);
	fwrite(data, 1, size, stream);
	fputs(at + sizeof(mark) - 1, stream);
	return ferror(stream) ? -EIO : 0;
}
