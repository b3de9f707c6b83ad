import pytest
from msgspec import Raw
from msgspec.json import encode

from orchestrator.admin import reported
from orchestrator.fleet.specs import ListedModel

OLLAMA = {"size": 5, "digest": "d", "details": {"parameter_size": "8.0B", "quantization_level": "Q4_K_M", "context_length": 4096}}
LLAMACPP = {"id": "m", "meta": {"size": 7, "n_params": 8_030_261_248, "n_ctx": 2048}}


def of(entry):
    raw = reported.members(ListedModel("m", raw=Raw(encode(entry))))
    return reported.size(raw), reported.digest(raw), reported.parameters(raw), reported.quantisation(raw), reported.context_length(raw)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (OLLAMA, (5, "d", "8.0B", "Q4_K_M", 4096)),
        (LLAMACPP, (7, "", "8.0B", "", 2048)),
        ({"meta": {"n_params": 1_470_000}}, (None, "", "1.47M", "", None)),
        ({"max_model_len": 32768, "context_length": 9}, (None, "", "", "", 32768)),
        ({"id": "m"}, (None, "", "", "", None)),
    ],
)
def test_what_servers_report(entry, expected):
    assert of(entry) == expected


@pytest.mark.parametrize("entry", [[], "m", 5, None, {"size": "", "digest": 5, "details": 5, "meta": [], "max_model_len": True}])
def test_an_entry_of_another_shape_reports_nothing(entry):
    assert of(entry) == (None, "", "", "", None)


def test_an_entry_that_is_no_json_reports_nothing():
    assert reported.members(ListedModel("m", raw=Raw(b'{"size":'))) == {}
