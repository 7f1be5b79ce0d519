import threading

import pytest

from lifestage.platform.runtime.parallel import run_in_parallel


def test_tasks_run_at_the_same_time_and_results_keep_their_order():
    meeting = threading.Barrier(3, timeout=10)

    def task(number):
        # Passes only when all three have come.
        meeting.wait()
        return number

    assert run_in_parallel([lambda: task(1), lambda: task(2), lambda: task(3)]) == [1, 2, 3]


def test_no_tasks_give_no_results():
    assert run_in_parallel([]) == []


def test_all_tasks_end_before_a_failure_is_raised():
    failed, ended = threading.Event(), []

    def fails():
        failed.set()
        raise ValueError("first")

    def takes_longer():
        failed.wait(10)
        ended.append("second")
        raise KeyError("second")

    with pytest.raises(ValueError, match="first"):
        run_in_parallel([fails, takes_longer])
    assert ended == ["second"]
