-- The recording: one SQLite file. docs/FORMAT.md explains it; `pipescope schema` prints it.
-- All times are nanoseconds since the recording's start; earlier ones are negative.
PRAGMA application_id = 1886610288; -- 'pscp'
PRAGMA user_version = 1;

-- node, kernel, machine, cpus, version, command, sources, hz, event, slice_ns, start_wall_ns,
-- start_boot_ns, startup_cpu_ns (the recorder's own CPU time until the first sample), stop_ns,
-- offcpu_period_ns, io_period_ns (the longest wait and operation that were still chosen by chance),
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
-- 'child', 'socket', 'poll', 'page_fault', or 'other:' and the system call's name. count: waits that
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
-- 'unlink', 'rename', 'mkdir', 'seek', 'readlink'. error: errno, 0 when it succeeded. bytes: of reads
-- and writes. ns: from the call to its return.
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
	                            -- interpreter itself), 'kernel'
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
CREATE TABLE sample (
	epoch INTEGER NOT NULL, thread INTEGER NOT NULL, slice INTEGER NOT NULL,
	stack INTEGER,              -- NULL: nothing of the stack is known
	ending TEXT NOT NULL,       -- ending.name
	metric TEXT NOT NULL, class TEXT, count INTEGER NOT NULL, value INTEGER NOT NULL,
	waker INTEGER               -- thread.id of who ended the waits; 0: an interrupt (timer,
	                            -- device, network); NULL: not known, or no waits
);

-- How stacks ended, and every counter of what was lost: name, value, meaning.
CREATE TABLE ending (name TEXT PRIMARY KEY, ok INTEGER NOT NULL, meaning TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE quality (name TEXT PRIMARY KEY, value INTEGER NOT NULL, meaning TEXT NOT NULL) WITHOUT ROWID;

-- Call-frame information that the walker cannot use, by file and reason; written at the end.
CREATE TABLE unwind_problem (module TEXT NOT NULL, problem TEXT NOT NULL, count INTEGER NOT NULL);

-- The recorder's own cost: per slice; and per BPF program (only with --stats).
CREATE TABLE recorder (slice INTEGER PRIMARY KEY, cpu_ns INTEGER NOT NULL, rss_bytes INTEGER NOT NULL);
CREATE TABLE program (name TEXT PRIMARY KEY, runs INTEGER NOT NULL, run_ns INTEGER NOT NULL) WITHOUT ROWID;
