"""A store whose operations fail as those of a real one can, for tests of what a run leaves behind."""

from dataclasses import dataclass
from enum import StrEnum

from lifestage.platform.errors import StorageError
from lifestage.platform.storage.delta import DeltaStore
from lifestage.platform.storage.memory import MemoryStore


class Kind(StrEnum):
    """What happens to one operation."""

    CRASH = "crash"
    """The process ends before it."""
    CRASH_AFTER = "crash after"
    """The process ends right after it."""
    ERROR = "error"
    """It fails and changes nothing; the process goes on and cleans up."""
    LOST_REPLY = "lost reply"
    """It takes effect, but the process sees an error."""
    DUPLICATE = "duplicate"
    """It takes effect twice. For operations that may be repeated; Delta itself commits an append once."""


class ProcessEndedError(BaseException):
    """The process was killed. Nothing that it still tries reaches the store."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong: at the n-th time that an operation is called for a table."""

    kind: Kind
    operation: str
    table: str
    n: int = 1

    def is_at(self, operation, tables):
        return operation == self.operation and self.table in tables


REPEATABLE = {"add", "put_once", "restore", "logs", "load_rows"}
OPERATIONS = ("exists", "add", "put", "put_once", "restore", "logs", "load_rows")
# On Delta, a faulty store sees these too.
DELTA_OPERATIONS = (*OPERATIONS, "put_all", "put_exchange", "load")


class _Faulty:
    """Operations of a store, of which at most one has a fault. Until `arm` is called, none is watched.

    `before` is called with every operation and its table before it takes effect.
    """

    _operations: tuple[str, ...] = ()

    def arm(self, operations, fault, before):
        self._fault, self._before, self._times, self._is_ended = fault, before, 0, False
        self._operations = operations

    def __getattribute__(self, name):
        method = super().__getattribute__(name)
        if name.startswith("_") or name not in self._operations:
            return method
        return lambda subject, *arguments: self._attempt(name, method, subject, *arguments)

    def _attempt(self, operation, method, subject, *arguments):
        tables = [table.name for table, _ in subject] if operation == "logs" else [subject.name]
        kind = self._kind_of(operation, tables)
        self._before(operation, tables)
        if self._is_ended or kind is Kind.CRASH:
            self._is_ended = True
            raise ProcessEndedError
        if kind is Kind.ERROR:
            raise StorageError(operation)
        result = method(subject, *arguments)
        if kind is Kind.DUPLICATE and operation in REPEATABLE:
            result = method(subject, *arguments)
        if kind is Kind.CRASH_AFTER:
            self._is_ended = True
            raise ProcessEndedError
        if kind is Kind.LOST_REPLY:
            raise StorageError(operation)
        return result

    def _kind_of(self, operation, tables):
        fault = self._fault
        if fault is None or not fault.is_at(operation, tables):
            return None
        self._times += 1
        return fault.kind if self._times == fault.n else None


class FaultyStore(_Faulty, MemoryStore):
    """The tables of a memory store, reached by one process with at most one fault."""

    def __init__(self, store, fault=None, before=lambda _operation, _table: None):
        super().__init__(tables=store._tables)
        self.arm(OPERATIONS, fault, before)


class FaultyDeltaStore(_Faulty, DeltaStore):
    """The tables of a Delta store, reached by one process with at most one fault."""

    def __init__(self, store, fault=None, before=lambda _operation, _table: None):
        super().__init__(store.spark, store.location)
        self.arm(DELTA_OPERATIONS, fault, before)
