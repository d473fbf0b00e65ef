"""Room for more rows in an array that a kernel fills."""

import numpy as np
import numpy.typing as npt

from comity.tracing.kernels.compiled import kernel


@kernel
def room(rows: npt.NDArray[np.int64], needed: int) -> npt.NDArray[np.int64]:
    """`rows`, or a copy at least twice as long, with −1 beyond, so that it has `needed` rows."""
    if needed <= len(rows):
        return rows
    wider = np.full((max(needed, 2 * len(rows)), rows.shape[1]), -1, np.int64)
    wider[: len(rows)] = rows
    return wider
