/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording as one HTML file that needs nothing else: the page of web/, built into the program,
 * with the recording's figures in it. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "model/summary.h"
#include "model/tables.h"

#define HTML_MOST_BYTES 5000000 /* of the page; page_fit__pack tells how far this holds */

/* False: the program was built without the page, for lack of npm. */
bool html_report__available(void);

/* -ENOSYS: not available; -EIO (the stream), otherwise as page_fit__pack. */
int html_report__print(FILE *stream, struct tables *tables, const struct summary *summary);

#endif
