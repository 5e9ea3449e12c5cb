// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level log_limit = LOG_LEVEL_INFO;
static bool progress_shown;

void log__set_level(enum log_level level)
{
	log_limit = level;
}

void log__progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

static void log_line(enum log_level level, const char *prefix, const char *format, va_list args)
{
	if (level > log_limit)
		return;
	log__progress_end();
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

#define LOG_FUNCTION(name, level, prefix)                                                          \
	void name(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
                                                                                                   \
		va_start(args, format);                                                            \
		log_line(level, prefix, format, args);                                             \
		va_end(args);                                                                      \
	}

LOG_FUNCTION(log__error, LOG_LEVEL_ERROR, "pipescope: ")
LOG_FUNCTION(log__warning, LOG_LEVEL_WARNING, "pipescope: warning: ")
LOG_FUNCTION(log__info, LOG_LEVEL_INFO, "pipescope: ")
LOG_FUNCTION(log__debug, LOG_LEVEL_DEBUG, "pipescope: debug: ")

void log__progress(const char *format, ...)
{
	va_list args;

	if (!isatty(STDERR_FILENO))
		return;
	fputs("\r\033[K", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fflush(stderr);
	progress_shown = true;
}
