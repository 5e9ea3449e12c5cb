// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/choice.h"

#define KEPT_MOST      4000
#define DOUBLINGS_MOST 9

void choice__adapt(struct choice *choice)
{
	if (choice->kept > KEPT_MOST && choice->doublings < DOUBLINGS_MOST)
		choice->doublings++;
	else if (choice->kept < KEPT_MOST / 4 && choice->doublings)
		choice->doublings--;
	if (choice->doublings > choice->doublings_most)
		choice->doublings_most = choice->doublings;
	choice->kept = 0;
}
