# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in: functions, arguments and local variables of middleware v27 and v28."""
from shared.context import log_info
from shared.data import QuantumContext


class SingleQuantumExecutor:
    def __init__(self, make_task):
        self.make_task = make_task

    def execute(self, task_node, quantum):
        result = self._execute(task_node, quantum)
        return result

    def _execute(self, task_node, quantum):
        log_info(None, "prep")
        log_info(None, "init")
        task = self.make_task(task_node.init._imported_data.task_class, task_node.key.name)
        log_info(None, "start")
        self.runQuantum(task, quantum, task_node, None)
        log_info(None, "end")
        return quantum

    def runQuantum(self, task, quantum, task_node, limited_butler):
        task.runQuantum(QuantumContext(quantum), limited_butler, task_node)
