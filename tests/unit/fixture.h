/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small recording whose every figure is known, for the tests of what reads recordings. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "model/query.h"
#include "model/summary.h"
#include "model/tables.h"
#include "store/reader.h"

/* Samples, but for the file. */
#define INTO_SAMPLE                                                                                \
	"INSERT INTO sample (epoch, thread, slice, stack, ending, metric, class, count, value, "   \
	"waker) "

/* Process 100 (isr, job j1) used 1 s and has 10 samples, 200 (calibrate) 0.5 s and 5 samples, 300
 * (sh) 2 ms and none, 400 nothing, not even an epoch. Stacks, outermost first:
 *   4  main:2 _PyEval_EvalFrameDefault work(a):12 PyObject_GetAttr
 *   5  main:2 _PyEval_EvalFrameDefault work(a):12 memcpy
 *   8  main:2 fib:21 fib:22 fib:22        9  the same, do_syscall
 *   10 work(b):6                          11 do_syscall */
static const char fixture_rows[] =
	"INSERT INTO meta VALUES ('node','node1'),('kernel','6.1.0'),('cpus','4'),('hz','99'),"
	"('sources','cpu'),('start_wall_ns','1700000000000000000'),('stop_ns','2000000000'),"
	"('state','complete');"
	"INSERT INTO slice VALUES (1,0,1000000000),(2,1000000000,2000000000);"
	"INSERT INTO process VALUES"
	" (1,NULL,100,-5000000000,NULL,NULL,NULL,1000000000,800000000,200000000,1000000,'3.11'),"
	" (2,NULL,200,1000000000,2000000000,NULL,9,500000000,500000000,0,2000000,'3.11'),"
	" (3,1,300,500000000,510000000,3,NULL,2000000,1000000,1000000,NULL,NULL),"
	" (4,1,400,500000000,510000000,0,NULL,0,0,0,NULL,NULL);"
	"INSERT INTO image VALUES (1,1,0,'python3','[\"pipetask\",\"run\"]',NULL),"
	" (2,2,0,'python3','[\"cal\"]',NULL),(3,3,0,'sh','[]',NULL);"
	"INSERT INTO epoch VALUES (1,1,1,-5000000000,NULL,'isr','j1','pipetask'),"
	" (2,2,2,1000000000,2000000000,'calibrate',NULL,'pipetask'),"
	" (3,3,3,500000000,510000000,'sh',NULL,NULL);"
	"INSERT INTO thread VALUES "
	"(1,1,100,'main',NULL),(2,1,101,'pool',NULL),(3,2,200,'cal',NULL);"
	"INSERT INTO usage VALUES (1,1,600000000,500000000,100000000),"
	" (1,2,400000000,300000000,100000000),(2,2,500000000,500000000,0),"
	" (3,1,2000000,1000000,1000000);"
	"INSERT INTO thread_usage VALUES (1,1,1,400000000),(1,2,1,100000000),(1,1,2,400000000),"
	" (2,3,2,500000000);"
	"INSERT INTO function VALUES (1,'python','main','/a/main.py',1,'/a/main.py'),"
	" (2,'python','work','/a/main.py',10,'/a/main.py'),"
	" (3,'python','work','/b/other.py',5,'/b/other.py'),"
	" (4,'interpreter','_PyEval_EvalFrameDefault',NULL,NULL,'/usr/bin/python3'),"
	" (5,'interpreter','PyObject_GetAttr',NULL,NULL,'/usr/bin/python3'),"
	" (6,'native','memcpy',NULL,NULL,'/lib/libc.so.6'),"
	" (7,'kernel','do_syscall',NULL,NULL,'kernel'),"
	" (8,'python','fib','/a/main.py',20,'/a/main.py');"
	"INSERT INTO frame (id, function, line) VALUES "
	"(1,1,2),(2,4,NULL),(3,2,12),(4,5,NULL),(5,6,NULL),(6,8,21),"
	" (7,8,22),(8,7,NULL),(9,3,6);"
	"INSERT INTO stack VALUES (1,NULL,1),(2,1,2),(3,2,3),(4,3,4),(5,3,5),(6,1,6),(7,6,7),"
	" (8,7,7),(9,8,8),(10,NULL,9),(11,NULL,8);" INTO_SAMPLE
	"VALUES "
	"(1,1,1,4,'python','cpu',NULL,3,0,NULL),(1,2,1,5,'python','cpu',NULL,2,0,NULL),"
	" (2,3,2,10,'python','cpu',NULL,3,0,NULL),(1,1,2,9,'python','cpu',NULL,1,0,NULL),"
	" (1,1,2,8,'python_unnamed','cpu',NULL,2,0,NULL),(1,1,2,3,'python','cpu',NULL,1,0,NULL),"
	" (1,1,2,NULL,'unknown','cpu',NULL,1,0,NULL),(2,3,2,11,'python_no_frames','cpu',NULL,2,0,"
	"NULL),"
	" (1,1,1,4,'python','of a later version',NULL,99,99,NULL);"
	"INSERT INTO ending VALUES ('python',1,'Python frames complete'),"
	" ('python_unnamed',0,'not all could be named'),('python_no_frames',1,'no function'),"
	" ('unknown',0,'the stack never arrived'),('native',1,'no Python');"
	"INSERT INTO quality VALUES ('samples',15,'CPU samples taken'),"
	" ('lost_nested',7,'samples lost: they met another sample on their CPU'),"
	" ('lost_mmaps',0,'mapping events lost'),('names_too_late',2,'functions without a name');"
	"INSERT INTO recorder VALUES (1,10000000,40000000),(2,10000000,42000000);"
	"INSERT INTO program VALUES ('cpu_sample',15,30000);";

/* Waits and file operations of the same processes. Thread 102 is idle: 500 of 510 ms in locks. */
static const char fixture_events[] =
	"UPDATE meta SET value = 'cpu,offcpu,io' WHERE key = 'sources';"
	"INSERT INTO thread VALUES (4,1,102,'idler',NULL);"
	"INSERT INTO wait VALUES (1,1,'lock',4,400000000),(1,2,'lock',6,600000000),"
	" (1,1,'file_system',2,200000000),(1,2,'run_queue',5,50000000),"
	" (2,2,'child',1,300000000),(2,2,'other:keyctl',1,100000000);"
	"INSERT INTO thread_wait VALUES (1,1,'lock',5,500000000),(1,4,'lock',5,500000000),"
	" (1,1,'file_system',2,200000000),(1,1,'run_queue',2,20000000),"
	" (1,4,'run_queue',1,10000000),(2,3,'child',1,300000000),"
	" (2,3,'other:keyctl',1,100000000);"
	"INSERT INTO file VALUES (1,'file','/data/in.fits','ceph','/data'),"
	" (2,'file','/tmp/out','ext4','/'),(3,'pipe','pipe','',''),"
	" (4,'file','/data/in.fits','ceph','/data'),(5,'file','/data/missing','ceph','/data');"
	"INSERT INTO io VALUES (1,1,1,'read',0,10,1000000,100000000),"
	" (1,2,4,'read',0,10,1000000,50000000),(1,1,1,'open',0,1,0,20000000),"
	" (1,1,5,'open',2,300,0,30000000),(1,2,2,'write',0,4,4096,8000000),"
	" (1,2,2,'write',28,1,0,2000000),(2,2,3,'read',0,2,100,300000000),"
	" (3,1,1,'stat',0,5,0,5000000);"
	"INSERT INTO io_histogram VALUES ('read','ceph','ns',20,60),('read','ceph','ns',21,40),"
	" ('read','ceph','bytes',16,100),('open','ext4','ns',0,4);" INTO_SAMPLE
	"VALUES (1,1,1,4,'python','offcpu','lock',1,30000000,3),"
	" (1,1,2,9,'python','offcpu','lock',2,20000000,0),"
	" (1,4,1,9,'python','offcpu','lock',1,40000000,NULL),"
	" (1,1,1,NULL,'unknown','offcpu','file_system',1,10000000,NULL),"
	" (2,3,2,10,'python','offcpu','child',3,300000000,99),"
	" (1,1,1,5,'python','io_time','read',1,40000000,NULL),"
	" (1,1,2,4,'python','io_time','read',1,10000000,NULL),"
	" (1,1,1,5,'python','io_bytes','read',1,500000,NULL),"
	" (1,1,1,4,'python','io_ops','open',2,10,NULL);"
	"UPDATE sample SET file = 1 WHERE metric IN ('io_time','io_bytes') AND stack = 5;"
	"UPDATE sample SET file = 2 WHERE metric = 'io_time' AND stack = 4;"
	"UPDATE sample SET file = 5 WHERE metric = 'io_ops';";

struct fixture {
	char directory[64], path[96];
	struct recording *recording;
	struct tables *tables;
};

static inline void fixture__execute(const char *path, const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The file alone; change: further SQL, or NULL. */
static inline void fixture__create(struct fixture *fixture, const char *rows, const char *change)
{
	*fixture = (struct fixture){.directory = "/tmp/pipescope-test-XXXXXX"};
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/recording", fixture->directory);
	fixture__execute(fixture->path, recording__schema());
	fixture__execute(fixture->path, rows);
	if (change)
		fixture__execute(fixture->path, change);
}

static inline int fixture__load(struct fixture *fixture)
{
	int error = recording__open(fixture->path, &fixture->recording);

	if (!error)
		error = tables__load(fixture->recording, &fixture->tables);
	return error;
}

/* change: as in fixture__create. */
static inline void fixture__open_with(struct fixture *fixture, const char *change)
{
	fixture__create(fixture, fixture_rows, change);
	assert_int_equal(fixture__load(fixture), 0);
}

static inline void fixture__open(struct fixture *fixture)
{
	fixture__open_with(fixture, NULL);
}

static inline void fixture__open_events(struct fixture *fixture)
{
	fixture__open_with(fixture, fixture_events);
}

static inline void fixture__close(struct fixture *fixture)
{
	tables__free(fixture->tables);
	recording__close(fixture->recording);
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(rmdir(fixture->directory), 0);
}

/* by: "task,function"; where: "key=value" or NULL, borrowed; metric: NULL: what suits the keys. */
static inline struct query_request fixture__request(const char *by, const char *const *where,
						    const char *metric)
{
	struct query_request request = {.metric = metric ? metric__find(metric) : NULL};
	char copy[128], *rest;

	assert_true(!metric || request.metric);
	snprintf(copy, sizeof(copy), "%s", by);
	for (char *name = strtok_r(copy, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		request.keys[request.key_count] = key__find(name);
		assert_non_null(request.keys[request.key_count++]);
	}
	for (size_t i = 0; where && where[i]; i++) {
		const char *equals = strchr(where[i], '=');

		snprintf(copy, sizeof(copy), "%.*s", (int)(equals - where[i]), where[i]);
		request.filters[i].key = key__find(copy);
		assert_non_null(request.filters[i].key);
		request.filters[i].pattern = equals + 1;
		request.filter_count++;
	}
	return request;
}

static inline struct query *fixture__query(struct fixture *fixture, const char *by,
					   const char *const *where, enum query_fold fold)
{
	struct query_request request = fixture__request(by, where, NULL);
	struct query *query = NULL;

	request.fold = fold;
	assert_int_equal(query__run(fixture->tables, &request, &query), 0);
	return query;
}

/* The labels of the row's keys, joined by '|'. */
static inline void fixture__labels(const struct fixture *fixture, const struct query *query,
				   const struct query_row *row, char *text, size_t size)
{
	const struct query_request *request = query__request(query);
	size_t used = 0;

	for (size_t i = 0; i < request->key_count; i++) {
		char *label;

		assert_int_equal(request->keys[i]->label(fixture->tables,
							 query__value(query, row, i), &label),
				 0);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "|" : "", label);
		free(label);
		assert_true(used < size);
	}
}

#endif
