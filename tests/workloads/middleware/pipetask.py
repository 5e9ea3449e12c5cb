# SPDX-License-Identifier: GPL-2.0-or-later
"""pipetask.py LAYOUT MODE QUANTA CPU SLEEP [WORKERS]: runs quanta as a layout of the middleware does.

MODE serial: one after the other in this process; fork, spawn: each in a child of its own, WORKERS at a time;
foreign: by an executor that nobody knows. As a clustered job of a batch system runs them:

pipetask --long-log run-qbb REPO FILE.qg --qgraph-node-id UUID,UUID… with LAYOUT, CPU and SLEEP in the environment.

Each quantum takes CPU seconds of CPU time and sleeps SLEEP seconds. Prints what a recording must hold, one JSON
object a line: of each quantum, and of this process; times in seconds since 1970.
"""
import importlib
import json
import multiprocessing
import os
import resource
import sys
import threading
import time
import uuid

HERE = os.path.dirname(os.path.realpath(__file__))
RUN = "u/someone/run-1"
STARTUP = 0.3  # s, before the first quantum; the middleware itself takes many seconds


def say(what, **more):
    line = json.dumps(dict(more, what=what, pid=os.getpid())) + "\n"
    os.write(1, line.encode())


def executor_of(layout):
    sys.path[:0] = [HERE, os.path.join(HERE, layout)]
    old = layout in ("v23", "v24")
    context = importlib.import_module("lsst.daf.butler.%slogging" % ("core." if old else ""))
    module = "pipe.base.single_quantum_executor" if layout == "v30" else "ctrl.mpexec.singleQuantumExecutor"
    return importlib.import_module(module).SingleQuantumExecutor, context.ButlerMDC


class Work:
    def __init__(self, layout, cpu, sleep, run=RUN):
        self.layout, self.cpu, self.sleep = layout, cpu, sleep
        self.run_name = run
        self.kept = []
        self.executor_class, self.context = executor_of(layout)
        self.data = importlib.import_module("shared.data")
        self.tasks = importlib.import_module("lsst.pipe.tasks")

    def make(self, task_class, label):
        return task_class(label, cpu=self.cpu, sleep=self.sleep)

    def arguments(self, number):
        label = ("isr", "calibrate")[number % 2]
        task_class = (self.tasks.IsrTask, self.tasks.CalibrateTask)[number % 2]
        values = {"instrument": "X", "detector": number, "visit": 2025051500000 + number, "band": "r"}
        if self.layout in ("v23", "v24"):
            node = self.data.TaskDef(label, task_class)
            data_id = self.data.OldDataCoordinate(values)
        else:
            init = self.data.TaskInitNode if self.layout == "v30" else self.data.OldTaskInitNode
            node = self.data.TaskNode(label, init(task_class))
            data_id = self.data.DataCoordinate(values)
        name = task_class.__module__ + "." + task_class.__qualname__
        expected = {"label": label, "class": name, "dataid": values, "run": self.run_name, "id": None, "inputs": 2 + number % 3}
        arguments = {"quantum": self.data.Quantum(name, data_id, 2 + number % 3)}
        if self.layout in ("v29", "v30"):
            arguments["quantum_id"] = self.data.quantum_id(number)
            expected["id"] = str(arguments["quantum_id"])
        return node, arguments, expected

    def run(self, number):
        node, arguments, expected = self.arguments(number)
        executor = self.executor_class(self.make)
        self.context._MDC["RUN"] = expected["run"] or ""
        cpu, start = time.process_time(), time.time()
        executor.execute(node, **arguments)
        end, cpu = time.time(), time.process_time() - cpu
        self.context._MDC["RUN"] = ""
        # Between the two the process may have waited for a CPU.
        start = max(start, importlib.import_module("shared.context").begun["prep"])
        say("quantum", number=number, start=start, end=end, cpu=cpu, **expected)

    def run_foreign(self, number):
        _node, arguments, expected = self.arguments(number)
        task_class = self.tasks.IsrTask if expected["label"] == "isr" else self.tasks.CalibrateTask
        task = self.make(task_class, expected["label"])
        butler = self.data.QuantumContext(arguments["quantum"], arguments.get("quantum_id"))
        self.kept.append(butler)  # two at one address, one after the other, would be one
        self.context._MDC["RUN"] = RUN
        cpu, start = time.process_time(), time.time()
        resource.getrusage(resource.RUSAGE_SELF)
        task.runQuantum(butler, None, None)
        end, cpu = time.time(), time.process_time() - cpu
        self.context._MDC["RUN"] = ""
        say("foreign", number=number, start=start, end=end, cpu=cpu, **expected)


def in_child(layout, cpu, sleep, number):
    work = Work(layout, cpu, sleep)
    time.sleep(STARTUP)
    work.run(number)
    time.sleep(0.05)


def run_children(context, layout, cpu, sleep, numbers, workers):
    running = []
    for number in numbers:
        child = context.Process(target=in_child, args=(layout, cpu, sleep, number))
        child.start()
        running.append(child)
        if len(running) == workers:
            running.pop(0).join()
    for child in running:
        child.join()


def watch():
    """A helper of the process, as many have: it makes the calls too, and has no part in the quanta."""
    while True:
        resource.getrusage(resource.RUSAGE_SELF)
        time.sleep(0.03)


def run_qbb():
    layout, cpu, sleep = os.environ["LAYOUT"], float(os.environ["CPU"]), float(os.environ["SLEEP"])
    start = time.time()
    # Up to v29 the logging context has no run there.
    work = Work(layout, cpu, sleep, RUN if layout == "v30" else None)
    time.sleep(STARTUP)
    for text in sys.argv[-1].split(","):
        work.run(uuid.UUID(text).int & 0xFFFF)
    time.sleep(0.1)
    say("process", start=start, end=time.time(), cpu=time.process_time(), task="pipetask run-qbb")


def main():
    if "run-qbb" in sys.argv:
        run_qbb()
        return
    layout, mode = sys.argv[1:3]
    count, cpu, sleep = int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
    workers = int(sys.argv[6]) if len(sys.argv) > 6 else 2
    start = time.time()
    if mode in ("serial", "foreign"):
        work = Work(layout, cpu, sleep)
        if mode == "serial":
            threading.Thread(target=watch, daemon=True).start()
        work.tasks.burn(0.05)
        time.sleep(STARTUP)
        for number in range(count):
            (work.run if mode == "serial" else work.run_foreign)(number)
        work.tasks.burn(0.1)
        time.sleep(0.2)
    else:
        run_children(multiprocessing.get_context(mode), layout, cpu, sleep, range(count), workers)
    say("process", start=start, end=time.time(), cpu=time.process_time())


if __name__ == "__main__":
    main()
