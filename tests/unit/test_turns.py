"""Writers take turns: in the order in which they came, one at a time, and nobody waits for ever."""

import threading
import time

from comity.backends.sql.turns import Turns


def test_one_at_a_time_in_the_order_of_coming() -> None:
    turns, order, inside = Turns(), list[int](), list[int]()

    def write(number: int) -> None:
        with turns.mine():
            inside.append(number)
            assert len(inside) == 1
            order.append(number)
            inside.remove(number)

    with turns.mine():
        writers = []
        for number in range(20):
            writers.append(threading.Thread(target=write, args=(number,)))
            writers[-1].start()
            while len(turns._waiting) <= number:
                time.sleep(0.001)
    for writer in writers:
        writer.join()
    assert order == list(range(20))


def test_whoever_waits_for_itself_goes_on_after_a_while_and_leaves_no_trace() -> None:
    turns = Turns(patience=0.05)
    with turns.mine(), turns.mine():
        pass
    began = time.monotonic()
    with turns.mine():
        pass
    assert time.monotonic() - began < 0.04
    assert not turns._waiting


def test_a_turn_is_passed_on_by_whoever_failed() -> None:
    turns = Turns()
    for _ in range(3):
        try:
            with turns.mine():
                raise ValueError
        except ValueError:
            pass
    with turns.mine():
        pass
    assert turns._taken is False


def test_many_threads_lose_no_turn() -> None:
    turns, count = Turns(patience=0.001), [0]

    def write() -> None:
        for _ in range(200):
            with turns.mine():
                count[0] += 1

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert turns._taken is False
    assert not turns._waiting
