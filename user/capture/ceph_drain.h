/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source "ceph": loads its programs when there is a CephFS mount, takes what they have counted, and
 * writes it as rows. Nothing is loaded, and nothing costs anything, while there is none. */
#ifndef CAPTURE_CEPH_DRAIN_H
#define CAPTURE_CEPH_DRAIN_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct ceph_drain;
struct meanwhile;
struct pipescope_bpf;
struct ps_count;
struct recording_writer;
struct sample_row;
struct tracker;

/* All borrowed; they must outlive it. bpf is loaded. counters: added to. */
int ceph_drain__new(struct pipescope_bpf *bpf, struct recording_writer *writer,
		    struct tracker *tracker, uint64_t *counters, struct ceph_drain **ret_ceph);
void ceph_drain__free(struct ceph_drain *ceph); /* NULL is accepted */

/* Looks whether mounts have changed, and attaches the programs when there is the first one. That
 * they cannot be loaded is said, and counted, but is no error. -ENOMEM. */
int ceph_drain__look(struct ceph_drain *ceph);

/* A slice is over: writes what was counted in it. The same errors, and those of the maps and the
 * writer. */
int ceph_drain__slice(struct ceph_drain *ceph, int64_t slice, const struct meanwhile *meanwhile);

/* Says in row what a sample of requests is of; its class is valid until the next call. sum: of the
 * metric. The same errors. */
int ceph_drain__sample(struct ceph_drain *ceph, const struct ps_count *key, uint64_t sum,
		       struct sample_row *row);

/* Detaches the programs: what they have counted is all there will be. */
void ceph_drain__stop(struct ceph_drain *ceph);
/* After the last slice: what is written once. */
int ceph_drain__finish(struct ceph_drain *ceph);

/* The programs, for their run time; NULL: not loaded. */
struct bpf_object *ceph_drain__programs(const struct ceph_drain *ceph);

#define CEPH_CLASS_NAME_SIZE 24
/* "mds:open", "osd:read" …; static, or in buffer. */
const char *ceph_class__name(uint32_t class, char buffer[CEPH_CLASS_NAME_SIZE]);

#endif
