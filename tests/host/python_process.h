/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Python process whose threads stand still, and what they say of their own stacks: live, or
 * saved (host/python_saved.h). */
#ifndef HOST_PYTHON_PROCESS_H
#define HOST_PYTHON_PROCESS_H

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "host/saved_memory.h"
#include "python/binary.h"
#include "unit/python_interpreters.h"

enum { MAX_TOLD_THREADS = 4, MAX_TOLD_FRAMES = 64 };

struct told_frame {
	int line;
	char name[64], file[256];
};

struct told_thread {
	uint64_t tcb; /* pthread_self(), which is the fs base */
	struct told_frame frames[MAX_TOLD_FRAMES]; /* innermost first */
	size_t frame_count;
};

struct python_process {
	pid_t pid; /* 0: saved */
	struct process_memory live;
	struct saved_memory saved;
	uint16_t version; /* (major << 8) | minor */
	uint64_t runtime, code_type; /* addresses in the process */
	struct python_layout layout;
	struct told_thread threads[MAX_TOLD_THREADS];
	size_t thread_count;
};

/* Takes a line that is none of these; NULL: there are no others. */
static bool (*take_more)(struct python_process *process, const char *line);

/* One line of what the script prints, or of a saved file. */
static bool python_process__take_line(struct python_process *process, const char *line)
{
	struct told_thread *thread =
		process->thread_count ? &process->threads[process->thread_count - 1] : NULL;
	struct told_frame frame = {};
	unsigned long long number;
	unsigned int minor;

	if (sscanf(line, "thread %llx", &number) == 1) {
		if (process->thread_count == MAX_TOLD_THREADS)
			return false;
		process->threads[process->thread_count++].tcb = number;
	} else if (sscanf(line, "frame %d %63s %255s", &frame.line, frame.name, frame.file) == 3) {
		if (!thread || thread->frame_count == MAX_TOLD_FRAMES)
			return false;
		thread->frames[thread->frame_count++] = frame;
	} else if (sscanf(line, "python 3.%u", &minor) == 1) {
		process->version = (uint16_t)(0x0300 | minor);
	} else if (sscanf(line, "runtime %llx", &number) == 1) {
		process->runtime = number;
	} else if (sscanf(line, "code_type %llx", &number) == 1) {
		process->code_type = number;
	} else {
		return take_more && take_more(process, line);
	}
	return true;
}

/* Looks for the runtime among the files that the process maps, by their ELF headers. */
static bool python_process__find_runtime(struct python_process *process)
{
	char path[64], line[PATH_MAX + 128], name[PATH_MAX];
	_cleanup_fclose_ FILE *maps = NULL;
	unsigned long start, offset;

	snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		_cleanup_close_ int fd = -1;
		struct python_binary binary;
		Elf64_Ehdr header;
		Elf64_Phdr segment = {};

		if (sscanf(line, "%lx-%*x %*s %lx %*s %*s %4095[^\n]", &start, &offset, name) !=
			    3 ||
		    offset || name[0] != '/')
			continue;
		fd = open(name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || python_binary__probe(fd, &binary) ||
		    pread(fd, &header, sizeof(header), 0) != sizeof(header))
			continue;
		/* p_vaddr of the segment at the file's start: what this mapping is biased against.
		 */
		for (int i = 0; i < header.e_phnum; i++)
			if (pread(fd, &segment, sizeof(segment),
				  (off_t)(header.e_phoff + (unsigned)i * sizeof(segment))) ==
				    sizeof(segment) &&
			    segment.p_type == PT_LOAD && !segment.p_offset)
				break;
		process->version = binary.version;
		process->layout = binary.layout;
		process->runtime = binary.runtime + start - segment.p_vaddr;
		process->code_type = binary.code_type + start - segment.p_vaddr;
		return true;
	}
	return false;
}

/* True when every thread is in a system call that sleeps for a time: one that still waits for the
 * GIL is in futex(). */
static bool python_process__is_asleep(const struct python_process *process)
{
	size_t threads = 0, asleep = 0;
	const struct dirent *entry;
	char path[PATH_MAX];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", process->pid);
	for (folder = opendir(path); folder && (entry = readdir(folder));) {
		_cleanup_fclose_ FILE *file = NULL;
		long number = -1;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/syscall", process->pid,
			 entry->d_name);
		file = fopen(path, "re");
		threads++;
		if (file && fscanf(file, "%ld", &number) == 1)
			asleep += number == SYS_select || number == SYS_pselect6 ||
				  number == SYS_nanosleep || number == SYS_clock_nanosleep;
	}
	if (folder)
		closedir(folder);
	return threads == process->thread_count && asleep == threads;
}

static void python_process__end(struct python_process *process)
{
	if (process->pid > 0) {
		kill(process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	saved_memory__clear(&process->saved);
}

/* Starts walked.py and waits until its threads sleep. The name that it is compiled under holds no
 * folder of this machine. False: it could not be, and has ended. */
static bool python_process__start(struct python_process *process, const char *command,
				  const char *script)
{
	char shell[3 * PATH_MAX], *line = NULL;
	bool good = true, ready = false;
	size_t capacity = 0;
	FILE *from;
	int ends[2];

	memset(process, 0, sizeof(*process));
	process->saved = saved_memory__of(NULL);
	snprintf(shell, sizeof(shell),
		 "exec %s -c 'import sys; "
		 "exec(compile(open(sys.argv[1]).read(), \"walked.py\", \"exec\"))' '%s'",
		 command, script);
	if (pipe2(ends, O_CLOEXEC))
		return false;
	process->pid = fork();
	if (!process->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail meanwhile */
		dup2(ends[1], 1);
		execl("/bin/sh", "sh", "-c", shell, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	from = fdopen(ends[0], "r");
	while (good && !ready && getline(&line, &capacity, from) > 0) {
		ready = !strcmp(line, "ready\n");
		good = ready || python_process__take_line(process, line);
	}
	free(line);
	fclose(from);
	process->live = process_memory__of(process->pid);
	good = good && ready && python_process__find_runtime(process);
	for (int i = 0; good && !python_process__is_asleep(process); i++) {
		good = i < 10000;
		usleep(1000);
	}
	if (!good)
		python_process__end(process);
	return good;
}

#endif
