/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The option tables of the commands as text for programs: man pages and completion are made of it,
 * so that they cannot differ from --help. */
#ifndef CLI_DESCRIBE_H
#define CLI_DESCRIBE_H

/* Makes the next argp_parse() print its command's tables and end the program, when it is given the
 * option --version. Lines of fields with tabs between them:
 *	args   TEXT                        of arguments, as in --help
 *	doc    TEXT                        in front of the options
 *	notes  TEXT                        behind them
 *	option LETTER NAME ARGUMENT TEXT   LETTER, NAME, ARGUMENT: empty where there is none
 *	value  NAME VALUE                  what an option can be given, where it is a short list
 * In TEXT a line's end is "\n". command: its name. */
void describe__next(const char *command);

#endif
