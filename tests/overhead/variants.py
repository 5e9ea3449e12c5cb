# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of what variants.bash measured."""

import os
import statistics


class Measured:
    def __init__(self, folder, has_limits):
        self.folder = folder
        self.has_limits = has_limits
        self.failed = False

    def values(self, command, variant):
        with open(os.path.join(self.folder, f"{command}.{variant}"), encoding="utf-8") as stream:
            return [float(line) for line in stream]

    def header(self):
        print(f"\n{'':52} {'median':>9} {'least':>9} {'most':>9}")

    def line(self, text, values, digits, limit=None):
        """limit: prints whether the median keeps it."""
        median = statistics.median(values)
        verdict = ""
        if limit is not None and self.has_limits:
            verdict = f"  limit {limit}: " + ("PASS" if median <= limit else "FAIL")
            self.failed = self.failed or median > limit
        print(
            f"{text:52} {median:9.{digits}f} {min(values):9.{digits}f} {max(values):9.{digits}f}"
            + verdict
        )

    def plain(self, text, command, variant, unit=1):
        self.line(text, [value / unit for value in self.values(command, variant)], 1)

    def more(self, text, command, variant, base, limit=None):
        pairs = zip(self.values(command, variant), self.values(command, base))
        self.line(text, [with_ - without for with_, without in pairs], 1, limit)

    def ratio(self, text, command, variant, base, limit=None):
        pairs = zip(self.values(command, variant), self.values(command, base))
        self.line(text, [with_ / without for with_, without in pairs], 4, limit)
