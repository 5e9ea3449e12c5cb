# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for what all layouts of the middleware share: logging context and timer."""
import resource
import time


class MDCDict(dict):
    def __getitem__(self, name):
        return self.get(name, "")


begun = {}


def log_info(_task, prefix):
    """The system calls of the timer: they stand at the boundaries of every quantum and timed method."""
    begun[prefix] = time.time()
    time.process_time()
    resource.getrusage(resource.RUSAGE_SELF)
