"""Which spellings mean the same model, and who has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.fleet import models
from orchestrator.fleet.breaker import BreakerRules
from orchestrator.fleet.models import ModelIndex
from orchestrator.fleet.names import allowed, fold, without_latest
from orchestrator.fleet.server import Server
from orchestrator.fleet.specs import ServerSpec


def server(name, **spec):
    return Server(ServerSpec(id=name, url=f"http://{name}", **spec), BreakerRules(), 0.0)


A, B = server("a"), server("b")


def names(hosts):
    return [host.server.id for host in hosts]


def servers(index, asked):
    _, hosts = index.find(asked)
    return hosts


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("llama3", "llama3"),
        ("llama3:latest", "llama3"),
        ("LLama3:LATEST", "llama3"),
        ("llama3:8b", "llama3:8b"),
        ("library/llama3", "llama3"),
        ("registry.ollama.ai/library/llama3:latest", "llama3"),
        ("registry.ollama.ai/me/llama3", "me/llama3"),
        ("hf.co/org/repo:Q4_K_M", "hf.co/org/repo:q4_k_m"),
        ("meta-llama/Llama-3.2-3B-Instruct", "meta-llama/llama-3.2-3b-instruct"),
        (r"C:\models\a.gguf", r"c:\models\a.gguf"),
        (":latest", ""),
        ("", ""),
    ],
)
def test_spellings_of_a_model_fold_to_one_key(name, key):
    assert fold(name) == key


@settings(deadline=None)
@given(st.text(max_size=30).filter(lambda name: not name.lower().endswith(":latest") and not name.lower().startswith(("registry", "library"))))
def test_latest_never_changes_the_key(name):
    assert fold(name) == fold(name + ":latest")


def test_without_latest_keeps_the_case_and_other_tags():
    assert [without_latest(name) for name in ("Ab:latest", "Ab:Latest", "Ab:8b", "latest")] == ["Ab", "Ab", "Ab:8b", "latest"]


class TestAllowed:
    def test_no_globs_allow_all(self):
        assert allowed("anything", (), ())

    def test_an_allow_list_allows_nothing_else(self):
        assert allowed("llama3:8b", ("llama*",), ())
        assert not allowed("qwen3", ("llama*",), ())

    def test_deny_wins(self):
        assert not allowed("llama3:70b", ("llama*",), ("*:70b",))

    def test_latest_and_case_do_not_matter(self):
        assert allowed("Llama3:latest", ("llama3",), ())
        assert allowed("llama3:latest", ("llama3:latest",), ())
        assert not allowed("llama3:latest", (), ("LLAMA3",))

    def test_slashes_are_no_borders_to_a_star(self):
        assert allowed("org/sub/model", ("org/*",), ())


class TestIndex:
    def test_any_spelling_finds_the_model(self):
        index = ModelIndex([(A, "llama3:latest", True)])
        for asked in ("llama3", "llama3:latest", "LLAMA3", "library/llama3", "Llama3:Latest"):
            assert names(servers(index, asked)) == ["a"]
        assert index.find("llama3:8b") is None
        assert index.find("") is None

    def test_servers_come_in_the_order_given_and_once_each(self):
        index = ModelIndex([(B, "m", True), (A, "m:latest", True), (B, "M:latest", True)])
        assert names(index.find("m")[0].hosts) == ["b", "a"]

    def test_two_models_that_differ_in_case_alone_are_told_apart_where_servers_care(self):
        index = ModelIndex([(A, "Model", False), (B, "model", False)])
        assert names(servers(index, "Model")) == ["a"]
        assert names(servers(index, "model")) == ["b"]
        assert names(servers(index, "MODEL")) == ["a", "b"]

    def test_a_server_that_takes_any_spelling_joins_every_one(self):
        index = ModelIndex([(A, "model:latest", True), (B, "Model", False)])
        assert names(servers(index, "Model")) == ["a", "b"]
        assert names(servers(index, "model")) == ["a"]

    def test_the_name_goes_out_as_asked_where_that_is_understood_else_as_listed(self):
        index = ModelIndex([(A, "model:latest", True), (B, "Model", False)])
        assert [host.outgoing("MODEL") for host in servers(index, "MODEL")] == ["MODEL", "Model"]

    def test_what_is_not_allowed_on_a_server_is_not_there(self):
        picky = server("picky", models_allow=("small*",), models_deny=("*:70b",))
        index = ModelIndex([(picky, "small", True), (picky, "small:70b", True), (picky, "big", True), (A, "big", True)])
        assert names(index.find("small")[0].hosts) == ["picky"]
        assert index.find("small:70b") is None
        assert names(index.find("big")[0].hosts) == ["a"]

    def test_spellings_are_remembered_within_bounds(self, monkeypatch):
        monkeypatch.setattr(models, "MAX_SPELLINGS", 3)
        index = ModelIndex([(A, "model", True)])
        for spelling in ("model", "Model", "MODEL", "mOdel", "model:latest", "library/model", "nothing", "model"):
            found = index.find(spelling)
            assert (names(found[1]) if found else None) == (["a"] if spelling != "nothing" else None)
            assert len(index._asked) <= 3
