from tests.bench.report import Figures, percentile, summary, table

PLAN = {"rounds": 3, "streams": 100, "busy_streams": 500}


def figures(name: str, request: list[float], chunk: list[float]) -> Figures:
    return Figures(name=name, cpu_per_request_seconds=request, cpu_per_chunk_seconds=chunk, requests_per_second=[10.0], first_chunk_seconds=[0.002, 0.001])


def test_ratios_are_of_medians_to_the_first_proxy() -> None:
    both = [figures("nginx", [2e-5, 9e-5, 1e-5], [1e-5]), figures("orchestrator", [3e-5], [1.5e-5])]
    result = summary(both, Figures(name="direct", first_chunk_seconds=[0.0005]), PLAN, [])
    ours = result["proxies"]["orchestrator"]
    assert ours["cpuPerRequestUs"] == 30.0
    assert (ours["requestRatio"], ours["chunkRatio"]) == (1.5, 1.5)
    assert ours["firstChunkOverDirectP50Us"] == 1500


def test_without_a_measurable_base_there_is_no_ratio() -> None:
    result = summary([figures("nginx", [0.0], [0.0])], Figures(name="direct"), PLAN, ["a note"])
    assert result["proxies"]["nginx"]["requestRatio"] is None
    assert table(result).endswith("a note")


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(i) for i in range(100)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([], 0.5) == 0.0
