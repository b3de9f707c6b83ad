"""Which kind a server is."""

import pytest

from orchestrator.upstream.kinds import KINDS, label, of_host, recognise


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("api.openai.com", "openai"),
        ("my-resource.openai.azure.com", "azure"),
        ("x.services.ai.azure.com", "azure"),
        ("openrouter.ai", "openrouter"),
        ("notopenrouter.ai", None),
        ("api.openai.com.evil.example", None),
        ("localhost", None),
    ],
)
def test_a_hosted_service_is_told_by_its_host(host, kind):
    found = of_host(host)
    assert (found.id if found else None) == kind


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        ({"speaks_ollama": True}, "ollama"),
        ({"speaks_ollama": True, "owners": {"library"}}, "ollama"),
        ({"speaks_ollama": False, "owners": {"vllm"}}, "vllm"),
        ({"speaks_ollama": False, "owners": {"sglang"}}, "sglang"),
        ({"speaks_ollama": False, "owners": {"llamacpp"}}, "llamacpp"),
        ({"speaks_ollama": False, "banner": "llama.cpp"}, "llamacpp"),
        ({"speaks_ollama": False, "owners": {"organization_owner"}}, "lmstudio"),
        ({"speaks_ollama": False, "owners": {"somebody"}, "banner": "nginx"}, "custom"),
        ({"speaks_ollama": False}, "custom"),
    ],
)
def test_a_server_of_ones_own_is_told_by_its_answers(seen, kind):
    assert recognise("10.0.0.1", **seen) == kind


def test_the_host_of_a_service_outweighs_whose_models_it_lists():
    assert recognise("openrouter.ai", speaks_ollama=False, owners={"vllm"}) == "openrouter"


def test_every_kind_has_a_label_and_unknown_ones_show_as_they_are():
    assert all(label(kind) for kind in KINDS)
    assert (label("llamacpp"), label(""), label("later")) == ("llama.cpp", "", "later")
