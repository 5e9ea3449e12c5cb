# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in: where the logging context of a process is."""
from shared.context import MDCDict


class ButlerMDC:
    _MDC = MDCDict()
