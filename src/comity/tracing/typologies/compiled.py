"""Kernels: functions over arrays that Numba compiles the first time they run, and keeps beside the code."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` for the machine it runs on; exact integers, no reordering of floating point."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


@kernel
def room(rows: npt.NDArray[np.int64], needed: int) -> npt.NDArray[np.int64]:
    """`rows`, or a copy at least twice as long, with −1 beyond, so that it has `needed` rows."""
    if needed <= len(rows):
        return rows
    wider = np.full((max(needed, 2 * len(rows)), rows.shape[1]), -1, np.int64)
    wider[: len(rows)] = rows
    return wider
