-- The recording: one SQLite file. docs/FORMAT.md explains it; `pipescope schema` prints it.
-- All times are nanoseconds since the recording's start; earlier ones are negative.
PRAGMA application_id = 1886610288; -- 'pscp'
PRAGMA user_version = 2;

-- node, kernel, machine, cpus, version, command, sources, hz, event, slice_ns, start_wall_ns,
-- start_boot_ns, startup_cpu_ns (the recorder's own CPU time until the first sample), stop_ns,
-- offcpu_period_ns, io_period_ns (the longest wait and operation that were still chosen by chance),
-- mem_period_bytes (largest piece of memory with one stack), alloc_period_bytes (of allocations),
-- alloc_max_overhead, alloc_predicted_percent, alloc_open_percent,
-- state ('recording' until closed, then 'complete'), stop_reason
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- Time slices: every figure below belongs to one.
CREATE TABLE slice (id INTEGER PRIMARY KEY, start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL);

CREATE TABLE process (
	id INTEGER PRIMARY KEY,
	parent INTEGER,             -- process.id, NULL when not recorded
	pid INTEGER NOT NULL,
	start_ns INTEGER NOT NULL,
	end_ns INTEGER,             -- NULL: still ran at the end
	exit_code INTEGER,          -- NULL: still ran, or killed by a signal
	exit_signal INTEGER,        -- NULL: not killed
	cpu_ns INTEGER NOT NULL,    -- during the recording; exact; of the process without children
	user_ns INTEGER NOT NULL,   -- cpu_ns split as the kernel splits it
	system_ns INTEGER NOT NULL,
	max_rss_bytes INTEGER,      -- high-water mark of the process's life; NULL: not known
	python TEXT                 -- '3.11', NULL: none seen
);

-- What a process executes: a new row at each exec.
CREATE TABLE image (
	id INTEGER PRIMARY KEY,
	process INTEGER NOT NULL,
	start_ns INTEGER NOT NULL,
	comm TEXT NOT NULL,
	arguments TEXT NOT NULL,    -- JSON array of strings; cut at 4096 bytes
	cgroup TEXT                 -- path, NULL: not known
);

-- Chosen variables only.
CREATE TABLE environment (image INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL);

-- Who: a stretch of a process's life that does one thing.
CREATE TABLE epoch (
	id INTEGER PRIMARY KEY,
	process INTEGER NOT NULL,
	image INTEGER NOT NULL,
	start_ns INTEGER NOT NULL,
	end_ns INTEGER,
	task TEXT NOT NULL,         -- task label, or the command's name
	job TEXT,                   -- the batch system's job, NULL: none
	rule TEXT                   -- the rule that named the task, NULL: none did
);

-- Quanta: the epochs in which a process works at one thing that a rule of kind frame knows. A process's
-- other epochs are its own time.
CREATE TABLE quantum (
	epoch INTEGER PRIMARY KEY,
	number INTEGER NOT NULL,    -- within the process, from 1
	label TEXT,                 -- the task's; NULL: could not be read
	class TEXT,                 -- these are NULL when the rule or the program does not tell them
	quantum TEXT,               -- its id
	run TEXT,                   -- collection of its outputs
	dataid TEXT,                -- JSON object, see quantum_data
	whole INTEGER NOT NULL      -- 0: may have begun before it was seen
);
CREATE TABLE quantum_data (
	epoch INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL
);

CREATE TABLE thread (
	id INTEGER PRIMARY KEY,
	process INTEGER NOT NULL,
	tid INTEGER NOT NULL,
	name TEXT NOT NULL,
	end_ns INTEGER
);

-- Exact figures, without stacks.
CREATE TABLE usage (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL,
	cpu_ns INTEGER NOT NULL, user_ns INTEGER NOT NULL, system_ns INTEGER NOT NULL
);
CREATE TABLE thread_usage (
	epoch INTEGER NOT NULL, thread INTEGER NOT NULL, slice INTEGER NOT NULL,
	cpu_ns INTEGER NOT NULL
);

-- Exact waiting, without stacks. class: 'run_queue', 'lock', 'sleep', 'disk', 'file_system', 'pipe',
-- 'child', 'socket', 'poll', 'page_fault', 'reclaim', 'throttled', or 'other:' and the system call's
-- name; or a class of wait_class that is not estimated. count: waits that
-- ended. A wait that goes on counts for the slices it covers.
CREATE TABLE wait (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL,
	class TEXT NOT NULL, count INTEGER NOT NULL, ns INTEGER NOT NULL
);
-- The same by thread, over the whole recording.
CREATE TABLE thread_wait (
	epoch INTEGER NOT NULL, thread INTEGER NOT NULL,
	class TEXT NOT NULL, count INTEGER NOT NULL, ns INTEGER NOT NULL
);

-- Files, and what else was read or written. kind: 'file', 'pipe', 'socket', 'other'; 'directory':
-- the files in it for which there was no room one by one. Their paths end in '/*'.
CREATE TABLE file (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	path TEXT NOT NULL,         -- 'pipe', 'socket' … where there is none
	filesystem TEXT NOT NULL,   -- 'ext4', 'ceph' …; '' when not known
	mount TEXT NOT NULL         -- mount point; '' when not known
);
-- Exact: every operation. op: 'read', 'write', 'open', 'close', 'stat', 'access', 'fsync', 'readdir',
-- 'unlink', 'rename', 'mkdir', 'seek', 'readlink', 'connect', 'accept', 'shutdown', 'copy_from', 'copy_to',
-- 'allocate', 'truncate', 'map', 'fault', 'link', 'xattr', 'lock', 'setattr'. error: errno, 0 when it
-- succeeded. bytes: of reads, writes and copies. ns: from the call to its return; 0 of copy_to and fault.
CREATE TABLE io (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, file INTEGER NOT NULL,
	op TEXT NOT NULL, error INTEGER NOT NULL,
	count INTEGER NOT NULL, bytes INTEGER NOT NULL, ns INTEGER NOT NULL
);
-- Operations by the logarithm of their time and size: [2^bucket, 2^(bucket + 1)) ns or bytes; bucket
-- 0 holds 0 too. what: 'ns' or 'bytes'.
CREATE TABLE io_histogram (
	op TEXT NOT NULL, filesystem TEXT NOT NULL, what TEXT NOT NULL,
	bucket INTEGER NOT NULL, count INTEGER NOT NULL,
	PRIMARY KEY (op, filesystem, what, bucket)
) WITHOUT ROWID;

-- Where: a stack is a path in a tree, from its leaf (the innermost frame) to a row whose parent
-- is NULL (the outermost). A parent's id is always below its children's.
CREATE TABLE function (
	id INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,         -- 'python', 'native', 'interpreter' (native code of the
	                            -- interpreter itself), 'kernel', 'subtask' (no function: what its
	                            -- callees work at)
	name TEXT NOT NULL,         -- qualified name, demangled; 'library+0x…' without symbols
	file TEXT,                  -- source file (Python; native with debug information)
	line INTEGER,               -- first line of the function (the same)
	module TEXT NOT NULL        -- Python: the source file; native: the library or program;
	                            -- kernel: 'kernel' or the module
);
-- address: of native code in files with debug information, as the file has it; else NULL.
CREATE TABLE frame (
	id INTEGER PRIMARY KEY, function INTEGER NOT NULL, line INTEGER, address INTEGER
);
-- The functions that the compiler inlined into a native frame's function at the frame's address;
-- position 0 is the innermost. line: that runs, or of the call of the one before.
CREATE TABLE inline (
	frame INTEGER NOT NULL, position INTEGER NOT NULL, function INTEGER NOT NULL, line INTEGER,
	PRIMARY KEY (frame, position)
) WITHOUT ROWID;
CREATE TABLE stack (id INTEGER PRIMARY KEY, parent INTEGER, frame INTEGER NOT NULL);

-- How much: sampled. metric 'cpu': count = samples, value = 0, class NULL. metric 'offcpu': waits
-- chosen in proportion to their length; class as in wait, value = the nanoseconds they stand for.
-- metrics 'io_time', 'io_bytes', 'io_ops': file operations chosen in proportion to their time, their
-- bytes, their number; class = op, value = the nanoseconds, bytes, operations they stand for.
-- metrics 'ceph_time', 'ceph_bytes', 'ceph_ops': the same of requests in ceph, chosen alike.
-- metrics 'rss_growth', 'faults': page faults chosen in proportion to the bytes they brought, or to
-- their number; class = kind of memory_growth, value = the bytes, faults they stand for.
-- metrics 'alloc_bytes', 'alloc_count': calls in windows of alloc_window, chosen in proportion to what they
-- asked for, or all alike; 'alloc_kept': of the first, blocks that were not freed when the window closed;
-- class = allocator.name, value = the bytes, calls, bytes they stand for.
CREATE TABLE sample (
	epoch INTEGER NOT NULL, thread INTEGER NOT NULL, slice INTEGER NOT NULL,
	stack INTEGER,              -- NULL: nothing of the stack is known
	ending TEXT NOT NULL,       -- ending.name
	metric TEXT NOT NULL, class TEXT, count INTEGER NOT NULL, value INTEGER NOT NULL,
	waker INTEGER,              -- thread.id of who ended the waits; 0: an interrupt (timer,
	                            -- device, network); NULL: not known, or no waits
	file INTEGER                -- file.id of what the operations were on; with 'ceph_time', 'ceph_bytes'
	                            -- and 'ceph_ops' the ceph_mount.id; NULL: another metric
);

-- How stacks ended, and every counter of what was lost: name, value, meaning.
CREATE TABLE ending (name TEXT PRIMARY KEY, ok INTEGER NOT NULL, meaning TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE quality (name TEXT PRIMARY KEY, value INTEGER NOT NULL, meaning TEXT NOT NULL) WITHOUT ROWID;

-- Call-frame information that the walker cannot use, by file and reason; written at the end.
CREATE TABLE unwind_problem (module TEXT NOT NULL, problem TEXT NOT NULL, count INTEGER NOT NULL);

-- The recorder's own cost: per slice; and per BPF program (only with --stats).
CREATE TABLE recorder (slice INTEGER PRIMARY KEY, cpu_ns INTEGER NOT NULL, rss_bytes INTEGER NOT NULL);
CREATE TABLE program (name TEXT PRIMARY KEY, runs INTEGER NOT NULL, run_ns INTEGER NOT NULL) WITHOUT ROWID;

-- Remotes: the rows of table file of kind 'socket'. protocol: 'tcp', 'udp', 'unix' … address: numeric,
-- or the path of a Unix socket ('@' in front of an abstract name); of remotes beyond a limit
-- '[others]'. own 1: it is the own end that has this address: the socket listens, has no other end,
-- or that has no name. service, rule: which a rule of kind remote gives, NULL: none.
CREATE TABLE remote (
	file INTEGER PRIMARY KEY,
	protocol TEXT NOT NULL, address TEXT NOT NULL, port INTEGER, own INTEGER NOT NULL,
	service TEXT, rule TEXT
);
-- Exact: of waits of which it is known on what they were, their file or remote. A part of table wait.
CREATE TABLE wait_on (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, file INTEGER NOT NULL,
	class TEXT NOT NULL, count INTEGER NOT NULL, ns INTEGER NOT NULL
);
-- Classes of waits that rules have made, and of which class they are a part. estimated 1: only samples
-- have it, in wait and thread_wait they are counted as part_of; 0: it is counted, apart from part_of.
CREATE TABLE wait_class (
	name TEXT PRIMARY KEY, part_of TEXT NOT NULL, rule TEXT NOT NULL, estimated INTEGER NOT NULL
) WITHOUT ROWID;
-- What a quantum used: of its process's own threads, and apart from that (children_…) of the children
-- that the process waited for in it. Exact, but for memory: docs/FORMAT.md. NULL: the kernel does not
-- count it. Of a quantum that goes on: until the last slice.
CREATE TABLE resource (
	epoch INTEGER PRIMARY KEY,
	voluntary_switches INTEGER, involuntary_switches INTEGER,
	minor_faults INTEGER, major_faults INTEGER,
	run_queue_ns INTEGER,       -- ready to run, but no CPU was free
	migrations INTEGER,         -- moves to another CPU
	asked_read_bytes INTEGER, asked_write_bytes INTEGER,     -- by read(), write() and their like
	read_calls INTEGER, write_calls INTEGER,
	device_read_bytes INTEGER, device_write_bytes INTEGER,   -- that reached the device, or will
	device_cancelled_bytes INTEGER,                          -- of these: removed before they did
	children INTEGER,           -- that ended
	children_user_ns INTEGER, children_system_ns INTEGER,
	children_voluntary_switches INTEGER, children_involuntary_switches INTEGER,
	children_minor_faults INTEGER, children_major_faults INTEGER,
	children_asked_read_bytes INTEGER, children_asked_write_bytes INTEGER,
	children_read_calls INTEGER, children_write_calls INTEGER,
	children_device_read_bytes INTEGER, children_device_write_bytes INTEGER,
	children_device_cancelled_bytes INTEGER,
	threads INTEGER NOT NULL,   -- that ran
	rss_start_bytes INTEGER, rss_end_bytes INTEGER, rss_peak_bytes INTEGER,
	swap_start_bytes INTEGER, swap_end_bytes INTEGER, swap_peak_bytes INTEGER,
	children_rss_peak_bytes INTEGER -- of the largest child in its whole life; NULL: no child
);
-- Hardware counters of a quantum (source 'counters'). Where counters take turns, each counted for
-- running_ns of enabled_ns: the estimate is value * enabled_ns / running_ns. meta: counters (those
-- that were counted), counters_unsupported (those that the CPU or kernel lacks).
CREATE TABLE counter (
	epoch INTEGER NOT NULL, name TEXT NOT NULL,
	value INTEGER NOT NULL, enabled_ns INTEGER NOT NULL, running_ns INTEGER NOT NULL,
	PRIMARY KEY (epoch, name)
) WITHOUT ROWID;
-- Files by what they hold: the type that a rule of the kind path gives.
CREATE TABLE dataset (file INTEGER PRIMARY KEY, type TEXT NOT NULL, rule TEXT NOT NULL);

-- Rows of one file under two names, the later one in new_file.
CREATE TABLE renamed (file INTEGER NOT NULL, new_file INTEGER NOT NULL);

-- Files that were written and closed: how many more they are, and by how many bytes all of them have
-- grown; a file that is closed again counts only by its growth.
CREATE TABLE written (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, file INTEGER NOT NULL,
	files INTEGER NOT NULL, bytes INTEGER NOT NULL
);

-- Files that a process had opened itself and written, and that were neither closed nor renamed when it
-- ended otherwise than by exit 0.
CREATE TABLE torn (
	epoch INTEGER NOT NULL,     -- of the last write
	file INTEGER NOT NULL,
	cause TEXT NOT NULL,        -- 'signal', 'oom' (killed for want of memory), 'exit'
	code INTEGER NOT NULL,      -- number of the signal, or exit code
	appended INTEGER NOT NULL,  -- 1: opened for appending, as logs are
	bytes INTEGER NOT NULL,     -- written since it was opened
	size INTEGER NOT NULL,      -- of the file at the end
	open_ns INTEGER NOT NULL, write_ns INTEGER NOT NULL, -- the last write
	time_ns INTEGER NOT NULL    -- the end of the process
);

-- In which order files were read: reads that begin behind the one before, as far from it as that was from
-- the one before it, elsewhere; of each thread apart. bytes: of these reads. Bit n of parts: something
-- of [n * part_bytes, (n + 1) * part_bytes) was read; the last one stands for all behind it.
CREATE TABLE read_pattern (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, file INTEGER NOT NULL,
	sequential INTEGER NOT NULL, strided INTEGER NOT NULL, random INTEGER NOT NULL,
	bytes INTEGER NOT NULL, parts INTEGER NOT NULL, part_bytes INTEGER NOT NULL
);

-- Memory of the process whose epoch it is, as the kernel has summed it up at the slice's end (NULL:
-- it had ended), and its page faults. No row where nothing has changed.
CREATE TABLE memory (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL,
	anonymous_bytes INTEGER, file_bytes INTEGER, shared_bytes INTEGER, swap_bytes INTEGER,
	minor_faults INTEGER NOT NULL, major_faults INTEGER NOT NULL
);
-- Exact: pages that came, however many went. kind: 'anonymous', 'file', 'shared'. faults: that
-- brought them.
CREATE TABLE memory_growth (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL,
	kind TEXT NOT NULL, faults INTEGER NOT NULL, bytes INTEGER NOT NULL
);
-- kind: 'reclaim' (it had to free memory before it got some; bytes: that were freed) or 'oom_kill'.
CREATE TABLE memory_event (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL,
	kind TEXT NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL
);
-- Exact, with stacks: anonymous memory that was mapped. kind: 'mapped' (mmap, mremap) or 'heap' (brk).
-- count, bytes: in the epoch. live: mapped in the recording, and not released at the epoch's end.
-- peak: of that, what there was when the process had most of it in the epoch.
CREATE TABLE memory_map (
	id INTEGER PRIMARY KEY,
	epoch INTEGER NOT NULL, kind TEXT NOT NULL,
	stack INTEGER,              -- NULL: nothing of the stack is known
	ending TEXT NOT NULL,       -- ending.name
	count INTEGER NOT NULL, bytes INTEGER NOT NULL,
	live_count INTEGER NOT NULL, live_bytes INTEGER NOT NULL,
	peak_count INTEGER NOT NULL, peak_bytes INTEGER NOT NULL
);

-- CephFS kernel mounts.
CREATE TABLE ceph_mount (id INTEGER PRIMARY KEY, path TEXT NOT NULL); -- '(unknown)': not known which
-- What the kernel's CephFS client did, exact. op: requests to metadata servers, 'mds:open', 'mds:lookup' …;
-- to storage servers, 'osd:read', 'osd:write', 'osd:writeback' (of the page cache, by whoever wrote it
-- back), 'osd:other'; and inside of the client 'caps:wait' (for capabilities), 'read:cached',
-- 'read:network' (reads that sent no request, or did). error: errno, 0 when it succeeded. bytes: read or
-- written. ns: from sending to the answer; of the last three from begin to end.
CREATE TABLE ceph (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, mount INTEGER NOT NULL,
	op TEXT NOT NULL, error INTEGER NOT NULL,
	count INTEGER NOT NULL, bytes INTEGER NOT NULL, ns INTEGER NOT NULL
);
-- The same by the logarithm of their time, as in io_histogram.
CREATE TABLE ceph_histogram (
	mount INTEGER NOT NULL, op TEXT NOT NULL, bucket INTEGER NOT NULL, count INTEGER NOT NULL,
	PRIMARY KEY (mount, op, bucket)
) WITHOUT ROWID;
-- Requests without an answer yet, at the end of a slice. oldest_ns: how long ago the first was sent.
CREATE TABLE ceph_in_flight (
	slice INTEGER NOT NULL, mount INTEGER NOT NULL, op TEXT NOT NULL,
	count INTEGER NOT NULL, oldest_ns INTEGER NOT NULL
);

-- Epochs that are one thread's own, beside those of its process, which follow one another.
CREATE TABLE thread_epoch (epoch INTEGER PRIMARY KEY, thread INTEGER NOT NULL);
-- Functions that allocate or (frees 1) only free. layered 1: gets its blocks from another one of them, as C++'s operators
-- do from malloc. sized 1: how large a block is can be read from it, so net_bytes is known.
CREATE TABLE allocator (
	id INTEGER PRIMARY KEY, name TEXT NOT NULL, module TEXT NOT NULL,
	frees INTEGER NOT NULL, layered INTEGER NOT NULL, sized INTEGER NOT NULL
);
-- Windows of time in which allocators were counted, by process. closed 1: the breakpoints were taken away
-- at its end; 0: the next window follows without a gap. cpu_ns: that the process used in it; cost_ns: of
-- that, what counting cost (estimated); edge_ns: what it cost just before and behind. hits: calls that were counted. held_peak_bytes: most that was given
-- since the breakpoints were set and not freed.
CREATE TABLE alloc_window (
	number INTEGER NOT NULL, process INTEGER NOT NULL,
	start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL, closed INTEGER NOT NULL,
	cpu_ns INTEGER NOT NULL, cost_ns INTEGER NOT NULL, edge_ns INTEGER NOT NULL, hits INTEGER NOT NULL,
	held_peak_bytes INTEGER NOT NULL,
	PRIMARY KEY (number, process)
) WITHOUT ROWID;
-- Exact, of a window. count, bytes: calls and what they asked for. nested: calls that another allocator
-- made for its caller, and what they asked for. watched: blocks given early enough to see whether they go within 10 ms; soon: that
-- did. freed: given and freed while the breakpoints were there. net_bytes: given less freed, of any age;
-- NULL: not known. kept: given since the breakpoints were set, and not freed when they were taken away.
CREATE TABLE allocation (
	window INTEGER NOT NULL, epoch INTEGER NOT NULL, allocator INTEGER NOT NULL,
	count INTEGER NOT NULL, bytes INTEGER NOT NULL,
	nested INTEGER NOT NULL, nested_bytes INTEGER NOT NULL,
	watched INTEGER NOT NULL, watched_bytes INTEGER NOT NULL,
	soon INTEGER NOT NULL, soon_bytes INTEGER NOT NULL,
	freed INTEGER NOT NULL, freed_bytes INTEGER NOT NULL, net_bytes INTEGER,
	kept INTEGER NOT NULL, kept_bytes INTEGER NOT NULL
);
-- The calls by the logarithm of what they asked for: [2^bucket, 2^(bucket + 1)) bytes; bucket 0 holds 0 too.
CREATE TABLE allocation_size (
	window INTEGER NOT NULL, epoch INTEGER NOT NULL, allocator INTEGER NOT NULL,
	bucket INTEGER NOT NULL, count INTEGER NOT NULL
);
-- How long files were open, from open() to the close of the last descriptor: those that were closed in a
-- slice, by who closed them, and (open 1) those that were open still at the end, by who opened them.
-- Files that were opened before the recording are not among them.
CREATE TABLE open_time (
	epoch INTEGER NOT NULL, slice INTEGER NOT NULL, file INTEGER NOT NULL,
	count INTEGER NOT NULL,     -- times that it was opened and closed
	ns INTEGER NOT NULL,        -- the sum
	longest_ns INTEGER NOT NULL, -- the longest of this slice and those before
	open INTEGER NOT NULL
);
