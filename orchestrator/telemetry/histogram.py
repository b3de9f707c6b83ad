"""How long things took: percentiles of many intervals merged into one, in little memory."""

from math import floor, log

from msgspec import Struct

GROWTH = 1.1
LEAST_SECONDS = 0.0001
MOST_SECONDS = 86400.0
_PER_BUCKET = 1 / log(GROWTH)


class Histogram(Struct):
    """Counts in buckets, each a tenth wider than the one before; only those that hold something (216 at most).

    counts: bucket n holds durations from GROWTH**n to GROWTH**(n + 1) seconds.
    """

    counts: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        bucket = floor(log(min(max(seconds, LEAST_SECONDS), MOST_SECONDS)) * _PER_BUCKET)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    def merge(self, other: "Histogram") -> None:
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count

    def percentile(self, share: float) -> float | None:
        """The duration in seconds that this share (0..1) does not exceed, None of nothing.

        It lies in the bucket of the true value, so between 0.1 ms and a day it is off by less than a tenth of it.
        """
        left, bucket = share * sum(self.counts.values()), 0
        for bucket in sorted(self.counts):
            count = self.counts[bucket]
            if left <= count:
                return float(GROWTH ** (bucket + left / count))
            left -= count
        return float(GROWTH ** (bucket + 1)) if self.counts else None
