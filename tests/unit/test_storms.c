// SPDX-License-Identifier: GPL-2.0-or-later
// Links: report model store symbols base
/* Storms of small operations: those on files and directories, with the line that makes most. */
#include "unit/fixture.h"

#include "report/page.h"

/* Task isr reads a pipe and a file in small pieces, each from a line of its own; calibrate only
 * uses a pipe, a socket and what has no name. */
static const char rows[] =
	"INSERT INTO file VALUES (6,'socket','unix /run/x','socket',''),"
	" (7,'directory','/data/*','ceph','/data'),(8,'other','other','','');"
	"INSERT INTO io VALUES (1,1,2,'read',0,3000,30000,1000),(1,1,3,'read',0,9000,9000,1000),"
	" (1,1,7,'stat',0,2500,0,1000),"
	" (2,2,3,'write',0,5000,20000,1000),(2,2,6,'write',0,4000,20000,1000),"
	" (2,2,8,'stat',0,7000,0,1000);" INTO_SAMPLE
	"VALUES (1,1,1,4,'python','io_ops','read',1,3000,2),"
	" (1,1,1,9,'python','io_ops','read',1,9000,3);"
	"UPDATE sample SET file = 2 WHERE value = 3000;"
	"UPDATE sample SET file = 3 WHERE value = 9000;";

static void files_and_directories(void **state)
{
	struct fixture fixture;
	char change[8192], *page = NULL;
	FILE *stream;
	size_t size;

	(void)state;
	snprintf(change, sizeof(change), "%s%s", fixture_events, rows);
	fixture__open_with(&fixture, change);
	stream = open_memstream(&page, &size);
	assert_int_equal(page__storms(stream, fixture.tables, 200, 10), 0);
	fclose(stream);
	print_message("%s", page);
	assert_non_null(strstr(page, "Storms of small operations on files"));
	assert_non_null(strstr(page, "isr   small reads    3020"));
	assert_non_null(strstr(page, "isr   stats          2500"));
	assert_non_null(strstr(page, "main.py:12      100.0 %"));
	assert_null(strstr(page, "small writes"));
	assert_null(strstr(page, "calibrate"));
	free(page);
	fixture__close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(files_and_directories)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
