"""Signing in, over sockets and over restarts of a real process."""

import http.client
import json

import pytest

from tests.integration.client import post
from tests.integration.dialects import OLLAMA
from tests.integration.serving import Serving

JSON = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}


def ask(serving, method, path, body=None, **headers):
    """(status, body as text, headers) of one request with exactly these headers."""
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def sign_in(serving, token):
    status, _, headers = ask(serving, "POST", "/api/session", {"token": token}, **JSON)
    assert status == 200
    return headers["Set-Cookie"].partition(";")[0]


def test_a_session_outlives_a_restart_and_not_its_token(tmp_path):
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary-one"}) as serving:
        cookie = sign_in(serving, "canary-one")
        assert ask(serving, "GET", "/api/servers", Cookie=cookie)[0] == 200
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary-one"}) as serving:
        assert ask(serving, "GET", "/api/servers", Cookie=cookie)[0] == 200
        assert ask(serving, "POST", "/api/health-check", Cookie=cookie, **JSON)[0] == 200
        assert ask(serving, "POST", "/api/health-check", Cookie=cookie, Origin="http://evil.example", Content_Type="application/json")[0] == 403
        assert ask(serving, "DELETE", "/api/session", Cookie=cookie, **JSON)[0] == 200
        assert ask(serving, "GET", "/api/servers", Cookie=cookie)[0] == 401
        cookie = sign_in(serving, "canary-one")
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary-two"}) as serving:
        assert ask(serving, "GET", "/api/servers", Cookie=cookie)[0] == 401
    log = (tmp_path / "log").read_text()
    assert "canary" not in log
    assert cookie.partition("=")[2] not in log


def test_a_stream_ends_with_its_session(tmp_path):
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary-one"}) as serving:
        cookie, other = sign_in(serving, "canary-one"), sign_in(serving, "canary-one")
        streams = [http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20) for _ in range(2)]
        try:
            for stream, own in zip(streams, (cookie, other), strict=True):
                stream.request("GET", "/api/events", headers={"Cookie": own})
            ended, going_on = [stream.getresponse() for stream in streams]
            assert ask(serving, "DELETE", "/api/session", Cookie=cookie, **JSON)[0] == 200
            assert b"event: hello" in ended.read()  # returns, since the stream is over
            assert going_on.readline()
        finally:
            for stream in streams:
                stream.close()


def test_guessing_is_slowed_down_and_reading_the_state_is_not(tmp_path):
    with Serving(tmp_path, {"ORCHESTRATOR_ADMIN_TOKEN": "canary"}) as serving:
        statuses = [ask(serving, "POST", "/api/session", {"token": "wrong"}, **JSON)[0] for _ in range(6)]
        assert statuses == [401] * 5 + [429]
        status, text, _ = ask(serving, "GET", "/api/session")
        assert (status, json.loads(text)) == (200, {"required": True, "signedIn": False, "expiresTime": None})


def test_a_page_is_the_same_under_every_path_and_the_rest_is_as_ollamas(tmp_path):
    with Serving(tmp_path) as serving:
        status, text, headers = ask(serving, "GET", "/", Accept="text/html")
        assert (status, text, headers["Location"]) == (302, "", "/ui/")
        assert ask(serving, "GET", "/", Accept="*/*")[:2] == (200, "Ollama is running")
        pages = [ask(serving, "GET", path) for path in ("/ui/", "/ui/servers/a")]
        assert {headers["Content-Type"] for _, _, headers in pages} == {"text/html; charset=utf-8"}
        assert len({status for status, _, _ in pages} & {200, 503}) == 1
        assert ask(serving, "GET", "/ui/assets/none.js")[0] == 404
        assert ask(serving, "GET", "/ui/", Host="evil.example")[:2] == (403, "")
        assert json.loads(ask(serving, "GET", "/api/about")[1])["addresses"] == [serving.base]


@pytest.mark.asyncio(loop_scope="module")
async def test_no_server_ever_gets_the_cookie_of_a_browser(orchestrated, fleet):
    server = await fleet.add("a")
    server.on(OLLAMA.path, OLLAMA.plain("Hi"))
    answer = await orchestrated.answer(post(OLLAMA.path, {"model": "m", "stream": False, "messages": []}, {"Cookie": "orchestrator_session_0=canary"}))
    assert answer.status == 200
    (seen,) = server.requests()
    assert "canary" not in str(seen.headers)
