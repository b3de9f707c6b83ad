"""Figures of a run, as medians over its rounds, as JSON and as text."""

from collections.abc import Sequence
from statistics import median
from typing import Any

from msgspec import Struct, field

MIB = 1024 * 1024
TARGETS = {"request": 2.0, "chunk": 1.5}


class Figures(Struct, kw_only=True):
    """Everything measured of one proxy; a list has one entry per round, but for the delays, which are of all streams."""

    name: str
    cpu_per_request_seconds: list[float] = field(default_factory=list)
    cpu_per_chunk_seconds: list[float] = field(default_factory=list)
    requests_per_second: list[float] = field(default_factory=list)
    first_chunk_seconds: list[float] = field(default_factory=list)
    idle_bytes: int = 0
    busy_bytes: int = 0
    """The most while many streams were open."""
    end_bytes: int = 0
    """After all rounds."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed; 0.0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def summary(figures: Sequence[Figures], direct: Figures, plan: dict[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    """The figures as JSON: microseconds, MiB, and ratios to the first proxy."""
    base = figures[0]
    return {
        "plan": plan,
        "notes": list(notes),
        "direct": _delays(direct),
        "proxies": {each.name: _row(each, base, direct) for each in figures},
    }


def _row(each: Figures, base: Figures, direct: Figures) -> dict[str, Any]:
    request, chunk = median(each.cpu_per_request_seconds), median(each.cpu_per_chunk_seconds)
    return {
        "cpuPerRequestUs": round(request * 1e6, 1),
        "requestRatio": _ratio(request, median(base.cpu_per_request_seconds)),
        "cpuPerChunkUs": round(chunk * 1e6, 1),
        "chunkRatio": _ratio(chunk, median(base.cpu_per_chunk_seconds)),
        **_delays(each),
        "firstChunkOverDirectP50Us": round(_over(each, direct, 0.5), 0),
        "firstChunkOverDirectP99Us": round(_over(each, direct, 0.99), 0),
        "idleMiB": round(each.idle_bytes / MIB, 1),
        "busyMiB": round(each.busy_bytes / MIB, 1),
        "endMiB": round(each.end_bytes / MIB, 1),
        "requestsPerSecond": round(median(each.requests_per_second)),
    }


def _delays(each: Figures) -> dict[str, float]:
    return {f"firstChunkP{share}Us": round(percentile(each.first_chunk_seconds, share / 100) * 1e6) for share in (50, 99)}


def _over(each: Figures, direct: Figures, share: float) -> float:
    return (percentile(each.first_chunk_seconds, share) - percentile(direct.first_chunk_seconds, share)) * 1e6


def _ratio(value: float, base: float) -> float | None:
    return round(value / base, 2) if base else None


ROWS = (
    ("CPU per request, µs", "cpuPerRequestUs"),
    ("  ratio", "requestRatio"),
    ("CPU per paced chunk, µs", "cpuPerChunkUs"),
    ("  ratio", "chunkRatio"),
    ("first chunk p50, µs", "firstChunkP50Us"),
    ("  over direct", "firstChunkOverDirectP50Us"),
    ("first chunk p99, µs", "firstChunkP99Us"),
    ("  over direct", "firstChunkOverDirectP99Us"),
    ("resident idle, MiB", "idleMiB"),
    ("resident with streams, MiB", "busyMiB"),
    ("resident after all, MiB", "endMiB"),
    ("requests/s (information)", "requestsPerSecond"),
)


def table(result: dict[str, Any]) -> str:
    """The summary as aligned text."""
    proxies: dict[str, dict[str, Any]] = result["proxies"]
    names = list(proxies)
    direct = result["direct"]
    lines = [" " * 30 + "".join(f"{name:>15}" for name in names)]
    for title, key in ROWS:
        lines.append(f"{title:30}" + "".join(f"{'-' if proxies[name][key] is None else proxies[name][key]:>15}" for name in names))
    lines.append(f"\nDirect to the mock: first chunk p50 {direct['firstChunkP50Us']} µs, p99 {direct['firstChunkP99Us']} µs.")
    plan = result["plan"]
    lines.append(f"{plan['streams']} paced streams; memory with {plan['busy_streams']} streams. Medians of {plan['rounds']} interleaved rounds.")
    lines.append(f"CPU is user and system time of the whole process tree; ratios are to {names[0]}.")
    lines.append(
        f"To reach: {TARGETS['request']} x per request, {TARGETS['chunk']} x per chunk, 100 MiB idle, 20 MiB more at 500 streams, first chunk within 1 ms."
    )
    return "\n".join([*lines, *result["notes"]])
