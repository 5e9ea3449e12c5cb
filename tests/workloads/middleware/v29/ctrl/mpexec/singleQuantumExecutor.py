# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in: functions, arguments and local variables of middleware v29."""
from shared.context import log_info
from shared.data import QuantumContext


class SingleQuantumExecutor:
    def __init__(self, make_task):
        self.make_task = make_task

    def execute(self, task_node, quantum, quantum_id=None):
        result = self._execute(task_node, quantum, quantum_id=quantum_id)
        return result

    def _execute(self, task_node, quantum, quantum_id=None):
        log_info(None, "prep")
        log_info(None, "init")
        task = self.make_task(task_node.init._imported_data.task_class, task_node.key.name)
        log_info(None, "start")
        self.runQuantum(task, quantum, task_node, None, quantum_id=quantum_id)
        log_info(None, "end")
        return quantum

    def runQuantum(self, task, quantum, task_node, limited_butler, quantum_id=None):
        task.runQuantum(QuantumContext(quantum, quantum_id), limited_butler, task_node)
