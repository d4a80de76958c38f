"""The books of a strategy in the hands of a person's command: no dashboard works with them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from commands.place import OperateError
from mac_side.other_dashboard import refuse_beside_another
from mac_side.single_engine import EngineHeld, hold_engine, instance_of, runtime_folder
from shared_schema.drop_folder import DropFolder
from shared_schema.ids import StrategyName
from shared_schema.settings import Settings


@contextmanager
def resting_books(
    settings: Settings, folder: DropFolder, strategy: StrategyName, running: str
) -> Iterator[None]:
    """Hold the engine's lock. Raises OperateError: ``running`` where an engine of this RUNTIME_DIR has it.

    Books in the exchange folder may be another host's, which no lock of ours holds: a dashboard that lives
    there keeps them in memory, and its next save would undo what is written here.
    """
    runtime = runtime_folder(settings, folder.path)
    try:
        lock = hold_engine(runtime, strategy)
    except EngineHeld as problem:
        raise OperateError(running, problem.where) from problem
    try:
        red_after = settings.sync.defaults.heartbeat_red_after
        try:
            refuse_beside_another(folder, strategy, instance_of(runtime, strategy), red_after, time.time())
        except EngineHeld as problem:
            raise OperateError("operate.books_elsewhere_open", problem.where, **problem.values) from problem
        yield
    finally:
        lock.release()
