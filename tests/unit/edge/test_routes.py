import pytest

from orchestrator.edge.routes import ROUTES, find


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_is_found_by_its_path(path: str) -> None:
    route = find(path.encode())
    assert route is ROUTES[path]
    assert route.family == ("ollama" if path.startswith("/api/") else "v1")


@pytest.mark.parametrize("path", [b"/v1/rerank", b"/v1/audio/transcriptions", b"/v1/images/generations", b"/v1/chat/completions/"])
def test_any_other_path_below_v1_is_forwarded_as_it_is(path: bytes) -> None:
    route = find(path)
    assert route is not None
    assert (route.path, route.dialect, route.family, route.style, route.operation) == (path.decode(), "openai", "v1", "opaque", path.decode()[4:])


def test_what_is_below_messages_speaks_anthropics_dialect() -> None:
    route = find(b"/v1/messages/count_tokens")
    assert route is not None
    assert (route.dialect, route.style) == ("anthropic", "opaque")


@pytest.mark.parametrize(
    "path", [b"/", b"/api/tags", b"/api/pull", b"/api/chat/", b"/API/chat", b"/v1", b"/v1/models", b"/v1/models/a/b", b"/v2/chat", b"/v1x/a", b""]
)
def test_other_paths_are_no_inference(path: bytes) -> None:
    assert find(path) is None


def test_only_show_is_light_and_only_ollama_loads_by_asking_nothing() -> None:
    assert [path for path, route in ROUTES.items() if route.light] == ["/api/show"]
    assert all(bool(route.empty) == (route.dialect == "ollama" and not route.light) for route in ROUTES.values())


def test_vectors_and_descriptions_are_never_streams() -> None:
    assert {path for path, route in ROUTES.items() if not route.streams} == {"/api/embed", "/api/embeddings", "/api/show", "/v1/embeddings"}


def test_a_path_of_any_bytes_is_no_error() -> None:
    route = find(b"/v1/\xff\xfe")
    assert route is not None
    assert route.style == "opaque"
