# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for tasks: they compute, wait and call timed methods."""
import time

from shared.context import log_info


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        for _ in range(20):
            sum(range(500))


class Task:
    def __init__(self, name, parent="", cpu=0.0, sleep=0.0):
        self._name = name
        self._fullName = parent + "." + name if parent else name
        self.cpu = cpu
        self.sleep = sleep


class SubTask(Task):
    def run(self):
        log_info(self, "runStart")
        burn(self.cpu)
        log_info(self, "runEnd")


class PipelineTask(Task):
    def __init__(self, name, **more):
        super().__init__(name, **more)
        self.fit = SubTask("fit", self._fullName, cpu=self.cpu / 2)

    def runQuantum(self, butlerQC, _inputs, _outputs):
        burn(self.cpu / 2)
        time.sleep(self.sleep)
        self.fit.run()
        return butlerQC.quantum


class IsrTask(PipelineTask):
    pass


class CalibrateTask(PipelineTask):
    pass
