# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for quanta and their data: names and places of attributes as in the middleware."""
import enum
import typing
import uuid


class NodeType(enum.Enum):
    TASK = 1


class NodeKey(typing.NamedTuple):
    node_type: NodeType
    name: str


class DimensionGraph:
    """Until v26."""

    def __init__(self, names):
        self._dataCoordinateIndices = {name: i for i, name in enumerate(names)}


class DimensionGroup:
    """From v27 on."""

    def __init__(self, names):
        self._data_coordinate_indices = {name: i for i, name in enumerate(names)}


class OldDataCoordinate:
    __slots__ = ("_graph", "_values")

    def __init__(self, values):
        self._graph = DimensionGraph(values)
        self._values = tuple(values.values())


class DataCoordinate:
    __slots__ = ("_dimensions", "_values")

    def __init__(self, values):
        self._dimensions = DimensionGroup(values)
        self._values = tuple(values.values())


class DatasetType:
    def __init__(self, name):
        self.name = name


class NamedKeyDict:
    __slots__ = ("_dict", "_names")

    def __init__(self, values):
        self._dict = dict(values)
        self._names = {key.name: key for key in self._dict}


class Quantum:
    __slots__ = ("_taskName", "_dataId", "_inputs")

    def __init__(self, task_name, data_id, input_count):
        self._taskName = task_name
        self._dataId = data_id
        self._inputs = NamedKeyDict(
            {DatasetType("raw"): tuple(range(input_count - 1)), DatasetType("bias"): ("bias",)}
        )


class TaskDef:
    def __init__(self, label, task_class):
        self.taskName = task_class.__module__ + "." + task_class.__qualname__
        self.taskClass = task_class
        self.label = label


class ImportedData:
    def __init__(self, task_class):
        self.task_class = task_class


class OldTaskInitNode:
    """v27 to v29."""

    def __init__(self, task_class):
        self._imported_data = ImportedData(task_class)


class TaskInitNode:
    """From v30 on."""

    def __init__(self, task_class):
        self._task_class_name = task_class.__module__ + "." + task_class.__qualname__
        self.task_class = task_class


class TaskNode:
    def __init__(self, label, init):
        self.key = NodeKey(NodeType.TASK, label)
        self.init = init


class Provenance:
    def __init__(self, quantum_id):
        self.quantum_id = quantum_id


class QuantumContext:
    """What runQuantum gets as butlerQC."""

    def __init__(self, quantum, quantum_id=None):
        self.quantum = quantum
        self.dataset_provenance = Provenance(quantum_id)


def quantum_id(number):
    return uuid.UUID(int=(0x0123456789ABCDEF << 64) + number)
