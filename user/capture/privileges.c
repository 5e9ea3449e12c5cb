// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static const int kept[] = {
	CAP_BPF, /* maps and programs */
	CAP_PERFMON, /* perf events, tracing programs */
	CAP_SYS_ADMIN, /* /proc/PID/map_files, and CAP_BPF's old name before 5.8 */
	CAP_SYS_PTRACE, /* process_vm_readv, /proc/PID/environ */
	CAP_SYSLOG, /* addresses in /proc/kallsyms */
	CAP_SYS_RESOURCE, /* RLIMIT_MEMLOCK */
	CAP_SYS_NICE, /* the drain's priority */
	CAP_DAC_READ_SEARCH, /* files that processes map */
	CAP_DAC_OVERRIDE, /* the recording's journal in a directory of another user */
	CAP_FOWNER, /* the journal in a sticky directory, once given away */
	CAP_CHOWN, /* the recording is given to who called sudo */
	CAP_KILL, /* kill(pid, 0): is there such a process? */
};

#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))

int privileges__drop(void)
{
	bool had[KEPT_COUNT];

	/* A container's root may lack some of them: they cannot be kept. */
	if (capng_get_caps_process())
		return -EPERM;
	for (size_t i = 0; i < KEPT_COUNT; i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, (unsigned int)kept[i]);
	capng_clear(CAPNG_SELECT_CAPS);
	for (size_t i = 0; i < KEPT_COUNT; i++)
		if (had[i] && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
					   (unsigned int)kept[i]))
			return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}
