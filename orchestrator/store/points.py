"""The points of the charts: rows <-> Point."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from orchestrator.store.tables import points
from orchestrator.telemetry.points import RINGS, SAVED, Point

POINT = msgspec.json.Decoder(Point)
ENCODER = msgspec.json.Encoder()


class StoredPoint(msgspec.Struct, frozen=True):
    """resolution_seconds: of the ring that it belongs to. time: its end, Unix seconds."""

    resolution_seconds: int
    time: float
    point: Point


class PointRows:
    """The table of points. Every method works in the transaction of the connection it is given."""

    async def load(self, connection: AsyncConnection) -> list[StoredPoint]:
        """All, in the order in which they were stored; without rows that cannot be read."""
        rows = await connection.execute(select(points.c.resolution_seconds, points.c.time, points.c.point).order_by(points.c.number))
        return [StoredPoint(resolution, time, point) for resolution, time, text in rows if (point := _point(text)) is not None]

    async def save(self, connection: AsyncConnection, stored: Sequence[StoredPoint]) -> None:
        """Add them. As many of each resolution as its ring holds are kept, whatever their time: the wall clock may have been wrong."""
        values = [{"resolution_seconds": one.resolution_seconds, "time": one.time, "point": ENCODER.encode(one.point).decode()} for one in stored]
        await connection.execute(insert(points), values)
        for resolution, size in RINGS:
            if resolution in SAVED:
                same = points.c.resolution_seconds == resolution
                oldest = select(points.c.number).where(same).order_by(points.c.number.desc()).limit(1).offset(size - 1).scalar_subquery()
                await connection.execute(delete(points).where(same & (points.c.number < oldest)))


def _point(text: str) -> Point | None:
    try:
        return POINT.decode(text)
    except msgspec.DecodeError:
        return None
