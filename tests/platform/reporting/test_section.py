from threading import Event, Thread

import pytest

from lifestage.platform.reporting.section import Source
from lifestage.platform.run import Run
from support.reporting import AS_OF, NOW


def source():
    return Source(read=None, table=None, config=None, run=Run("run-1", (AS_OF,), NOW))


def test_a_shared_result_is_computed_once_for_sections_that_ask_at_the_same_time():
    calls, may_end, shared, found = [], Event(), source(), []

    def compute(given):
        calls.append(given)
        may_end.wait(10)
        return given.as_of

    threads = [Thread(target=lambda: found.append(shared.compute_once(compute))) for _ in range(4)]
    for thread in threads:
        thread.start()
    may_end.set()
    for thread in threads:
        thread.join()
    assert (calls, found) == ([shared], [AS_OF] * 4)


def test_every_caller_of_a_failed_result_gets_the_error():
    shared = source()

    def fail(_):
        raise ValueError("no such table")

    for _ in range(2):
        with pytest.raises(ValueError, match="no such table"):
            shared.compute_once(fail)
