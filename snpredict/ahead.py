"""Work done ahead of whoever wants its results, in threads of its own."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_POLL_S = 0.05


def ahead(items: Generator[T, None, None], depth: int) -> Iterator[T]:
    """The same items, up to `depth` of them made before they are asked for.

    Pays where making them leaves the interpreter to others, as unpacking and reading do. What
    `items` raises is raised here, in its place. The thread ends with this iterator.
    """
    made: Queue[tuple[T | None, BaseException | None]] = Queue(depth)
    over = Event()

    def put(item: T | None, error: BaseException | None) -> None:
        while not over.is_set():
            try:
                made.put((item, error), timeout=_POLL_S)
                return
            except Full:
                continue

    def run() -> None:
        try:
            for item in items:
                put(item, None)
                if over.is_set():
                    break
            put(None, StopIteration())
        except BaseException as error:
            put(None, error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        while True:
            item, error = made.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # None only beside an error
    finally:
        over.set()
        thread.join()  # at most a poll later
        items.close()


def map_ahead(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    pending: int,
    pool: Executor | None = None,
) -> Iterator[R]:
    """``map(function, items)``, several items at a time and the results in their order.

    Items are taken from `items` here, as long as fewer than `pending` results are waiting. Without
    a `pool` that others use too, it has one of so many threads.
    """
    running: deque[Future[R]] = deque()
    opened: AbstractContextManager[Executor] = (
        ThreadPoolExecutor(threads) if pool is None else nullcontext(pool)
    )
    with opened as workers:
        try:
            for item in items:
                running.append(workers.submit(function, item))
                if len(running) > pending:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()


def default_threads() -> int:
    """One per core that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
