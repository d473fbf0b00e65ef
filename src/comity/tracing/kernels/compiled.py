"""Compile functions over arrays, and keep what was compiled where that is possible."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy.typing as npt

Column = npt.NDArray[Any]
"""Whole numbers of 32 or 64 bits, or truths."""
Number = Any
"""A whole number: `int` outside, a 64-bit integer inside; to Numba they are one."""
F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile `function` the first time it runs; exact integers, no reordering, other threads may run.

    Numba keeps the machine code beside the source, in the user's cache or in `NUMBA_CACHE_DIR`. Where none of them
    can be written (a read-only installation) it is compiled again in each process: slower, never wrong.
    """
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True)(function))
