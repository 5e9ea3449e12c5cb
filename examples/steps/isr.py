# SPDX-License-Identifier: GPL-2.0-or-later
"""Instrument signature removal."""

import os

from .image import Image, simulate_raw

SIZE = 512


class IsrTask:
    label = "isr"

    def run(self, data_id, folder):
        raw_path = os.path.join(folder, f"raw_{data_id}.image")
        simulate_raw(SIZE, SIZE, data_id).write(raw_path)
        image = Image.read(raw_path)
        self.subtract_overscan(image)
        self.flat_field(image)
        defects = self.mask_defects(image)
        image.write(os.path.join(folder, f"postISRCCD_{data_id}.image"))
        os.remove(raw_path)
        return {"defects": defects}

    def subtract_overscan(self, image):
        pixels = image.pixels
        width = image.width
        for row in range(image.height):
            start = row * width
            overscan = sorted(pixels[start + width - 16 : start + width])
            level = 0.5 * (overscan[7] + overscan[8])
            for i in range(start, start + width):
                pixels[i] -= level

    def flat_field(self, image):
        pixels = image.pixels
        width = image.width
        middle = width / 2
        for i in range(len(pixels)):
            distance = (i % width - middle) / middle
            pixels[i] /= 1.0 - 0.1 * distance * distance

    def mask_defects(self, image):
        pixels = image.pixels
        defects = 0
        for i in range(1, len(pixels) - 1):
            if pixels[i] < -500.0:
                pixels[i] = 0.5 * (pixels[i - 1] + pixels[i + 1])
                defects += 1
        return defects
