/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a recording tells of CephFS: private to what fills struct tables. */
#ifndef MODEL_CEPH_H
#define MODEL_CEPH_H

#include "model/loading.h"

/* The index of an operation, added when it is new. -EBADMSG: too many; -ENOMEM. */
int ceph__op(struct tables *tables, const char *name, uint16_t *ret_op);

/* The index of the file that stands for the mount of which a column has the id; NO_INDEX: not
 * known. Once they are loaded. */
uint32_t ceph__mount(struct tables *tables, struct row *row, int column);

/* Mounts, sums, histograms, requests on their way. Before the samples, after the files. -EBADMSG,
 * -ENOMEM, -EIO. */
int ceph__load(struct tables *tables);

#endif
