# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-in: functions, arguments and local variables of middleware v30 and later."""
from shared.context import log_info
from shared.data import QuantumContext


class QuantumReport:
    def __init__(self, quantum_id, data_id, label):
        self.quantumId = quantum_id
        self.dataId = data_id
        self.taskLabel = label


class SingleQuantumExecutor:
    def __init__(self, make_task):
        self.make_task = make_task

    def execute(self, task_node, quantum, quantum_id=None):
        result = self._execute(task_node, quantum, quantum_id=quantum_id)
        return result

    def _execute(self, task_node, quantum, quantum_id=None):
        return self._execute_with_limited_butler(task_node, None, quantum=quantum, quantum_id=quantum_id)

    def _execute_with_limited_butler(self, task_node, limited_butler, quantum, quantum_id=None):
        report = QuantumReport(quantum_id, {}, task_node.key.name)
        log_info(None, "prep")
        log_info(None, "init")
        task = self.make_task(task_node.init.task_class, task_node.key.name)
        log_info(None, "start")
        self._run_quantum(task, quantum, task_node, limited_butler, quantum_id=quantum_id)
        log_info(None, "end")
        return report

    def _run_quantum(self, task, quantum, task_node, limited_butler, quantum_id=None):
        task.runQuantum(QuantumContext(quantum, quantum_id), limited_butler, task_node)
