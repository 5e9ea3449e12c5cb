// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/command.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/opening.h"
#include "cli/writing.h"
#include "model/summary.h"
#include "report/html.h"

struct view_options {
	const char *path;
	bool no_browser;
};

static const struct argp_option option_table[] = {
	{"no-browser", 'n', NULL, 0, "Only write the page and print its address", 0},
	{0},
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct view_options *options = state->input;

	switch (key) {
	case 'n':
		options->no_browser = true;
		return 0;
	default:
		return opening__argument(key, argument, state, &options->path);
	}
}

static int print_page(FILE *stream, void *context)
{
	struct tables *tables = context;
	struct summary *summary = NULL;
	int error;

	error = summary__load(tables, &summary);
	if (!error)
		error = html_report__print(stream, tables, summary);
	summary__free(summary);
	return error;
}

/* In a new directory that only its owner can enter: the page tells what processes did. */
static int choose_place(char **ret_directory, char **ret_page)
{
	const char *parent = getenv("TMPDIR");
	char *directory = NULL, *page = NULL;

	if (!parent || *parent != '/')
		parent = "/tmp";
	if (asprintf(&directory, "%s/pipescope-XXXXXX", parent) < 0)
		return -ENOMEM;
	if (!mkdtemp(directory)) {
		int error = -errno;

		log__error("%s: no directory can be made in it: %s", parent, strerror(-error));
		free(directory);
		return error;
	}
	if (asprintf(&page, "%s/report.html", directory) < 0) {
		rmdir(directory);
		free(directory);
		return -ENOMEM;
	}
	*ret_directory = directory;
	*ret_page = page;
	return 0;
}

/* As an address: what is no plain letter is written in hexadecimal. */
static char *address_of(const char *path)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"/-._~";
	char *address = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&address, &size);

	if (!stream)
		return NULL;
	fputs("file://", stream);
	for (const unsigned char *at = (const unsigned char *)path; *at; at++)
		fprintf(stream, strchr(plain, *at) ? "%c" : "%%%02X", *at);
	if (fclose(stream)) {
		free(address);
		return NULL;
	}
	return address;
}

static bool has_display(void)
{
	const char *display = getenv("DISPLAY"), *wayland = getenv("WAYLAND_DISPLAY");

	return (display && *display) || (wayland && *wayland);
}

/* False: there is no xdg-open, or it found no browser. */
static bool open_in_browser(const char *address)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return false;
	if (!pid) {
		execlp("xdg-open", "xdg-open", address, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static int view(const struct view_options *options, struct tables *tables)
{
	_cleanup_free_ char *directory = NULL, *page = NULL, *address = NULL;
	int error;

	error = choose_place(&directory, &page);
	if (error)
		return EXIT_FAILED;
	umask(077);
	error = writing__file(page, options->path, print_page, tables);
	if (error) {
		rmdir(directory);
		return EXIT_FAILED;
	}
	address = address_of(page);
	if (!address)
		return EXIT_FAILED;
	puts(address);
	fflush(stdout);
	/* A browser of root's is no good idea; whoever has a display knows what to do with an
	 * address.
	 */
	if (!options->no_browser && has_display() && geteuid() != 0 && !open_in_browser(address))
		log__warning("no browser could be opened; open the address above");
	return EXIT_OK;
}

int command_view(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "FILE",
		.doc = "Look at a recording in a browser: writes the HTML report to a temporary "
		       "place, "
		       "prints its address, and opens it when there is a display.",
	};
	struct view_options options = {0};
	_cleanup_opening_ struct tables *tables = NULL;

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, 0, NULL, &options))
		return EXIT_USAGE;
	if (!writing__has_page() || opening__load(options.path, &tables))
		return EXIT_FAILED;
	return view(&options, tables);
}
