# SPDX-License-Identifier: GPL-2.0-or-later
"""Warps onto a common grid, and their sum."""

import os

from .image import Image, simulate_raw

SIZE = 448


class MakeWarpTask:
    label = "makeWarp"

    def run(self, data_id, folder):
        source = simulate_raw(SIZE, SIZE, data_id)
        warp = Image(SIZE, SIZE)
        self.resample(source, warp, 0.25 * (data_id % 4), 0.4)
        warp.write(os.path.join(folder, f"directWarp_{data_id}.image"))
        return {"pixels": len(warp.pixels)}

    def resample(self, source, warp, shift_x, shift_y):
        for y in range(warp.height - 1):
            for x in range(warp.width - 1):
                warp.pixels[y * warp.width + x] = self.interpolate(source, x, y, shift_x, shift_y)

    def interpolate(self, image, x, y, fraction_x, fraction_y):
        i = y * image.width + x
        upper = image.pixels[i] * (1 - fraction_x) + image.pixels[i + 1] * fraction_x
        i += image.width
        lower = image.pixels[i] * (1 - fraction_x) + image.pixels[i + 1] * fraction_x
        return upper * (1 - fraction_y) + lower * fraction_y


class AssembleCoaddTask:
    label = "assembleCoadd"

    def run(self, data_id, folder):
        warps = [simulate_raw(SIZE // 2, SIZE // 2, data_id + i) for i in range(5)]
        coadd = self.combine(warps)
        coadd.write(os.path.join(folder, f"deepCoadd_{data_id}.image"))
        return {"warps": len(warps)}

    def combine(self, warps):
        coadd = Image(warps[0].width, warps[0].height)
        for i in range(len(coadd.pixels)):
            coadd.pixels[i] = self.clipped_mean([warp.pixels[i] for warp in warps])
        return coadd

    def clipped_mean(self, values):
        values.sort()
        kept = values[1:-1]
        return sum(kept) / len(kept)
