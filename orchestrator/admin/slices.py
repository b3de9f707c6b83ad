"""Long work of the control plane in short pieces: the event loop is shared with inference."""

import asyncio
from time import perf_counter

SLICE_SECONDS = 0.002


class Slices:
    """To be told between two parts of the work, each well below a millisecond."""

    def __init__(self) -> None:
        self._until = perf_counter() + SLICE_SECONDS

    async def pause(self) -> None:
        """Lets everybody else have a turn if the time is up."""
        if perf_counter() >= self._until:  # not loop.time(): uvloop's stands still within a turn
            await asyncio.sleep(0)
            self._until = perf_counter() + SLICE_SECONDS
