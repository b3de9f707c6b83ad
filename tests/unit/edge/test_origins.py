"""Ollama's origin rules and its guard against rebound names."""

import pytest

from orchestrator.edge import origins as module
from orchestrator.edge.origins import Origins

HOST = "127.0.0.1:5100"


@pytest.fixture
def origins():
    return Origins(hostname="Workstation")


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost",
        "https://localhost:3000",
        "http://127.0.0.1:8080",
        "http://0.0.0.0:1",
        "HTTP://LocalHost:3000",
        "app://obsidian.md",
        "file://",
        "tauri://localhost",
        "vscode-webview://abc",
        "vscode-file://vscode-app",
        "chrome-extension://abcdef",
        "moz-extension://abcdef",
        "safari-extension://abcdef",
        "ms-browser-extension://abcdef",
        f"http://{HOST}",
        f"https://{HOST}",
        None,
    ],
)
def test_pages_of_this_machine_and_apps_may(origins, origin):
    assert origins.allows(origin, HOST)


@pytest.mark.parametrize(
    "origin",
    [
        "http://foreign.example",
        "null",
        "",
        "http://localhost.foreign.example",
        "http://localhostx",
        "http://foreign.example/http://localhost:3000",
        "ftp://localhost",
        "localhost:3000",
        "http://127.0.0.1.foreign.example",
        "xapp://y",
        "http://127.0.0.2:5100",
    ],
)
def test_other_pages_may_not(origins, origin):
    assert not origins.allows(origin, HOST)


def test_an_empty_host_makes_nothing_the_same_origin(origins):
    assert not origins.allows("http://", "")


def test_extra_origins_may_have_one_star():
    origins = Origins(["https://Chat.example", "https://*.team.example", "http://10.0.0.1:*"])
    for allowed in ("https://chat.example", "https://a.b.team.example", "http://10.0.0.1:81", "http://localhost:1"):
        assert origins.allows(allowed, HOST)
    for foreign in ("https://chat.example:8443", "http://chat.example", "https://team.example", "http://10.0.0.11", "https://chat.example.evil.example"):
        assert not origins.allows(foreign, HOST)


def test_a_star_never_matches_overlapping_ends():
    assert not Origins(["ab*ba"]).allows("aba", HOST)
    assert Origins(["ab*ba"]).allows("abba", HOST)


def test_a_lone_star_allows_everyone_and_says_so():
    origins = Origins(["*"])
    assert origins.allows("http://foreign.example", HOST)
    assert origins.answer_headers("http://foreign.example") == [(b"access-control-allow-origin", b"*")]
    assert b"vary" not in [name for name, _ in origins.preflight_headers("http://foreign.example")]


def test_answers_name_the_origin_that_asked(origins):
    assert origins.answer_headers("http://localhost:3000") == [(b"vary", b"Origin"), (b"access-control-allow-origin", b"http://localhost:3000")]
    assert origins.answer_headers(None) == []


class TestHost:
    @pytest.mark.parametrize(
        "host",
        [
            "",
            "localhost",
            "LOCALHOST:5100",
            "127.0.0.1:5100",
            "127.9.9.9",
            "[::1]:5100",
            "[::1]",
            "::1",
            "0.0.0.0:5100",
            "10.1.2.3:80",
            "172.31.0.1",
            "192.168.1.2:5100",
            "[fd00::1]:5100",
            "workstation:5100",
            "WorkStation",
            "a.localhost",
            "nas.local:5100",
            "host.docker.internal:5100",
        ],
    )
    def test_local_names_and_addresses_may_be_used(self, origins, host):
        assert origins.host_allowed(host)

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "evil.example:5100",
            "localhost.evil.example",
            "8.8.8.8",
            "172.32.0.1",
            "[2001:db8::1]:80",
            "local",
            "xlocalhost",
            "a:b:c",
            "127.0.0.1.evil.example",
        ],
    )
    def test_others_may_not(self, origins, host):
        assert not origins.host_allowed(host)

    def test_a_listener_that_others_reach_does_not_care(self):
        assert Origins(loopback_only=False).host_allowed("evil.example")

    def test_what_is_remembered_is_right_and_bounded(self, origins, monkeypatch):
        monkeypatch.setattr(module, "MAX_REMEMBERED", 3)
        for _ in range(2):
            for i in range(10):
                assert not origins.host_allowed(f"evil{i}.example")
                assert origins.host_allowed("localhost")
                assert len(origins._hosts) <= 3

    def test_the_own_name_is_asked_of_the_system(self, monkeypatch):
        monkeypatch.setattr(module.socket, "gethostname", lambda: "Box7")
        assert Origins().host_allowed("box7:5100")
