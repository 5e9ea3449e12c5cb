# SPDX-License-Identifier: GPL-2.0-or-later
"""Small stand-ins for image processing steps: real CPU work, a few files, no dependencies."""

from .calibrate import CalibrateTask
from .characterize import CharacterizeImageTask
from .coadd import AssembleCoaddTask, MakeWarpTask
from .isr import IsrTask

# Task label -> class, in the order in which a pipeline runs them.
PIPELINE = {
    "isr": IsrTask,
    "characterizeImage": CharacterizeImageTask,
    "calibrate": CalibrateTask,
    "makeWarp": MakeWarpTask,
    "assembleCoadd": AssembleCoaddTask,
}
