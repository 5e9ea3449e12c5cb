# SPDX-License-Identifier: GPL-2.0-or-later
"""An image in an array of floats, and its file: a header, a checksum, compressed pixels."""

import array
import hashlib
import os
import struct
import zlib

HEADER = struct.Struct("<4sII32s")
MAGIC = b"EXIM"


class Image:
    def __init__(self, width, height, pixels=None):
        self.width = width
        self.height = height
        self.pixels = pixels if pixels is not None else array.array("f", bytes(4 * width * height))

    def write(self, path):
        """Whole or not at all: a job that is killed leaves no half file under the final name."""
        data = zlib.compress(self.pixels.tobytes(), 6)
        header = HEADER.pack(MAGIC, self.width, self.height, hashlib.sha256(data).digest())
        with open(path + ".part", "wb") as stream:
            stream.write(header)
            stream.write(data)
        os.replace(path + ".part", path)

    @classmethod
    def read(cls, path):
        with open(path, "rb") as stream:
            magic, width, height, digest = HEADER.unpack(stream.read(HEADER.size))
            data = stream.read()
        if magic != MAGIC or hashlib.sha256(data).digest() != digest:
            raise ValueError(f"{path} is not an image, or is damaged")
        pixels = array.array("f")
        pixels.frombytes(zlib.decompress(data))
        return cls(width, height, pixels)


def simulate_raw(width, height, seed):
    """What a camera would deliver: bias, a slope, noise and some stars."""
    image = Image(width, height)
    pixels = image.pixels
    state = seed * 2654435761 & 0xFFFFFFFF or 1
    for i in range(width * height):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        pixels[i] = 1000.0 + (i % width) * 0.05 + (state >> 24) * 0.1
    for _ in range(12):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        add_star(image, state % (width - 16) + 8, (state >> 12) % (height - 16) + 8, 5000.0)
    return image


def add_star(image, x, y, flux):
    for dy in range(-6, 7):
        for dx in range(-6, 7):
            image.pixels[(y + dy) * image.width + x + dx] += flux / (1.0 + dx * dx + dy * dy)
