import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from vouch.vision.images import threads


def test_results_come_in_order_and_no_more_is_taken_than_a_part_per_core_and_one():
    taken = []

    def parts():
        for part in range(20):
            taken.append(part)
            yield part

    def work(part):
        time.sleep(0.02 if part % 2 else 0.0)
        return part

    with threads.one_per_core() as pool:
        for place, part in enumerate(threads.ahead(pool, work, parts())):
            assert part == place
            assert len(taken) <= place + threads.WORKERS + 1


def test_what_nobody_asks_for_is_not_begun_and_the_pool_serves_on(monkeypatch):
    monkeypatch.setattr(threads, "WORKERS", 3)
    released, begun = threading.Event(), []

    def work(part):
        begun.append(part)
        return part if part == 0 else released.wait(5)

    with ThreadPoolExecutor(1) as pool:  # busy elsewhere: of three parts taken it has begun one
        results = threads.ahead(pool, work, range(100))
        assert next(results) == 0
        results.close()
        released.set()
        assert list(threads.ahead(pool, lambda part: part, range(3))) == [0, 1, 2]
    assert len(begun) <= 2


def test_a_failure_is_raised_where_its_result_is_asked_for():
    with threads.one_per_core() as pool:
        results = threads.ahead(pool, lambda part: 1 / (2 - part), range(9))
        assert [next(results), next(results)] == [0.5, 1.0]
        with pytest.raises(ZeroDivisionError):
            next(results)
