// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "capture/ceph_drain.h"
#include "ceph.h"

/* Operations of metadata servers: part of their protocol, so they never change. */
static const struct {
	uint32_t op;
	const char *name;
} mds_ops[] = {
	{0x0100, "mds:lookup"},	      {0x0101, "mds:getattr"},	    {0x0102, "mds:lookuphash"},
	{0x0103, "mds:lookupparent"}, {0x0104, "mds:lookupino"},    {0x0105, "mds:lookupname"},
	{0x0106, "mds:getvxattr"},    {0x1105, "mds:setxattr"},	    {0x1106, "mds:rmxattr"},
	{0x1107, "mds:setlayout"},    {0x1108, "mds:setattr"},	    {0x1109, "mds:setfilelock"},
	{0x0110, "mds:getfilelock"},  {0x110a, "mds:setdirlayout"}, {0x1201, "mds:mknod"},
	{0x1202, "mds:link"},	      {0x1203, "mds:unlink"},	    {0x1204, "mds:rename"},
	{0x1220, "mds:mkdir"},	      {0x1221, "mds:rmdir"},	    {0x1222, "mds:symlink"},
	{0x1301, "mds:create"},	      {0x0302, "mds:open"},	    {0x0305, "mds:readdir"},
	{0x0400, "mds:lookupsnap"},   {0x1400, "mds:mksnap"},	    {0x1401, "mds:rmsnap"},
	{0x0402, "mds:lssnap"},	      {0x1403, "mds:renamesnap"},
};

static const char *const others[] = {
#define X(name, text, meaning) [PS_CEPH_##name - PS_CEPH_FIRST] = text,
	PS_CEPH_CLASSES(X)
#undef X
};

const char *ceph_class__name(uint32_t class, char buffer[CEPH_CLASS_NAME_SIZE])
{
	if (class > PS_CEPH_FIRST && class < PS_CEPH_LAST)
		return others[class - PS_CEPH_FIRST];
	if (class == PS_CEPH_MDS_UNKNOWN)
		return "mds:unknown";
	for (size_t i = 0; i < sizeof(mds_ops) / sizeof(mds_ops[0]); i++)
		if (mds_ops[i].op == class)
			return mds_ops[i].name;
	snprintf(buffer, CEPH_CLASS_NAME_SIZE, "mds:%#x", class);
	return buffer;
}
