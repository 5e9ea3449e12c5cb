// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/reader.h"

static const char schema[] =
#include "schema.sql.inc"
	;

const char *recording__schema(void)
{
	return schema;
}
