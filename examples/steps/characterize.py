# SPDX-License-Identifier: GPL-2.0-or-later
"""Background, sources and the width of the point spread function."""

import math
import os

from .image import Image, simulate_raw

SIZE = 512


class CharacterizeImageTask:
    label = "characterizeImage"

    def run(self, data_id, folder):
        image = simulate_raw(SIZE, SIZE, data_id)
        background = self.fit_background(image)
        sources = self.detect_sources(image, background)
        width = self.measure_psf(image, sources)
        image.write(os.path.join(folder, f"icExp_{data_id}.image"))
        return {"sources": len(sources), "psf": width}

    def fit_background(self, image):
        """Clipped mean, three rounds."""
        low, high = -math.inf, math.inf
        mean = 0.0
        for _ in range(3):
            count = total = squares = 0.0
            for value in image.pixels:
                if low < value < high:
                    count += 1
                    total += value
                    squares += value * value
            mean = total / count
            sigma = math.sqrt(max(squares / count - mean * mean, 1e-9))
            low, high = mean - 3 * sigma, mean + 3 * sigma
        return mean

    def detect_sources(self, image, background):
        seen = bytearray(len(image.pixels))
        sources = []
        threshold = background + 200.0
        for i, value in enumerate(image.pixels):
            if value > threshold and not seen[i]:
                sources.append(self.grow_footprint(image, seen, i, threshold))
        return sources

    def grow_footprint(self, image, seen, start, threshold):
        waiting = [start]
        footprint = []
        seen[start] = 1
        while waiting:
            i = waiting.pop()
            footprint.append(i)
            for near in (i - 1, i + 1, i - image.width, i + image.width):
                if 0 <= near < len(seen) and not seen[near] and image.pixels[near] > threshold:
                    seen[near] = 1
                    waiting.append(near)
        return footprint

    def measure_psf(self, image, sources):
        moments = [self.second_moment(image, footprint) for footprint in sources]
        return math.sqrt(sum(moments) / len(moments)) if moments else 0.0

    def second_moment(self, image, footprint):
        flux = sum(image.pixels[i] for i in footprint)
        x = sum(image.pixels[i] * (i % image.width) for i in footprint) / flux
        return sum(image.pixels[i] * (i % image.width - x) ** 2 for i in footprint) / flux
