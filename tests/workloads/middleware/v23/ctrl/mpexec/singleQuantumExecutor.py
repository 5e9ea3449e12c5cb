# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in: functions, arguments and local variables of middleware v23."""
from shared.context import log_info
from shared.data import Quantum, QuantumContext


class SingleQuantumExecutor:
    def __init__(self, make_task):
        self.make_task = make_task

    def execute(self, taskDef, quantum):
        log_info(None, "prep")
        quantum = Quantum(quantum._taskName, quantum._dataId, sum(map(len, quantum._inputs._dict.values())))
        log_info(None, "init")
        task = self.make_task(taskDef.taskClass, taskDef.label)
        log_info(None, "start")
        self.runQuantum(task, quantum, taskDef, None)
        log_info(None, "end")
        return quantum

    def runQuantum(self, task, quantum, taskDef, butler):
        task.runQuantum(QuantumContext(quantum), butler, taskDef)
