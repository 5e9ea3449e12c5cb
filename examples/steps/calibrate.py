# SPDX-License-Identifier: GPL-2.0-or-later
"""Astrometry and photometry: a catalogue is matched and a line is fitted."""

import hashlib
import json
import os
import time


class CalibrateTask:
    label = "calibrate"

    def run(self, data_id, folder):
        reference = self.load_reference(data_id, 24000)
        measured = [(x + 0.3, y - 0.2, flux * 1.05) for x, y, flux in reference[:1500]]
        matches = self.match(measured, reference)
        zero_point = self.fit_photometry(matches)
        self.write_catalog(os.path.join(folder, f"src_{data_id}.json"), matches)
        return {"matches": len(matches), "zero_point": zero_point}

    def load_reference(self, data_id, count):
        """Waits like a query to a database would, then derives stars from a hash."""
        time.sleep(0.02)
        key = hashlib.pbkdf2_hmac("sha256", b"reference", str(data_id).encode(), 20000)
        state = int.from_bytes(key[:4], "little") or 1
        stars = []
        for _ in range(count):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            stars.append((state % 4096, (state >> 10) % 4096, 1.0 + (state >> 20)))
        return stars

    def match(self, measured, reference):
        cells = {}
        for star in reference:
            cells.setdefault((star[0] >> 8, star[1] >> 8), []).append(star)
        return [self.nearest(source, cells) for source in measured]

    def nearest(self, source, cells):
        column, row = int(source[0]) >> 8, int(source[1]) >> 8
        best, best_distance = None, float("inf")
        for i in range(column - 1, column + 2):
            for j in range(row - 1, row + 2):
                for star in cells.get((i, j), ()):
                    distance = (star[0] - source[0]) ** 2 + (star[1] - source[1]) ** 2
                    if distance < best_distance:
                        best, best_distance = star, distance
        return source, best

    def fit_photometry(self, matches):
        ratios = sorted(source[2] / star[2] for source, star in matches if star)
        return ratios[len(ratios) // 2]

    def write_catalog(self, path, matches):
        with open(path, "w", encoding="utf-8") as stream:
            json.dump([source for source, _ in matches], stream)
