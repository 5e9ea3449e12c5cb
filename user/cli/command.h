/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of subcommands: one file each, main.c is the table. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

/* Exit codes, the same for all. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* argv[0] is "pipescope NAME". Returns the exit code. Data on stdout, words on stderr. */
int command_record(int argc, char **argv);
int command_top(int argc, char **argv);
int command_report(int argc, char **argv);
int command_view(int argc, char **argv);
int command_quanta(int argc, char **argv);
int command_stat(int argc, char **argv);
int command_export(int argc, char **argv);
int command_rules(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_calls(int argc, char **argv);
int command_schema(int argc, char **argv);

#endif
