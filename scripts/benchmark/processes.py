"""Run each measurement in a process of its own, so that neither memory nor warm code of one shows in the next."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from pyspark.sql import SparkSession


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in a new process, and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_call_and_stop, function, arguments).result()


def _call_and_stop(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    try:
        return function(*arguments)
    finally:
        session = SparkSession.getActiveSession()
        if session is not None:
            session.stop()
