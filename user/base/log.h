/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for people, on stderr. Only commands (cli/) and the session (capture/session.c) speak;
 * every other module returns a negative errno. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above this level are not printed; LOG_LEVEL_INFO at start. */
void log__set_level(enum log_level level);

/* One line each, "pipescope: " in front, newline added. A message says what, why, what to do. */
void log__error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that the next one overwrites, when stderr is a terminal; else nothing. The other functions
 * clear it first. */
void log__progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__progress_end(void);

#endif
