"""Who gets in, on every route of the admin API."""

import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response

from orchestrator.admin.access import Guard, is_https, is_local_host, is_loopback, same_origin
from orchestrator.admin.routes import SESSION, operations, routes
from orchestrator.admin.session import Sessions
from tests.fakes.clock import FakeClock


class Anything:
    """Handlers that do nothing: who gets here was let in."""

    def __getattr__(self, _name):
        return self

    async def __call__(self, _request):
        return Response(status_code=204)


TABLE = operations(Anything())
NAMES = {"server_id": "a", "model:path": "library/m:1", "action": "open"}
NOWHERE = ["/api/servers/a/nothing", "/api/breakers/a", "/api/health-check/x", "/api/session/x"]
METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")
READING = ("GET", "HEAD", "OPTIONS")


def filled(path):
    """A path of the table with something in every place; a name that is not known here stands for itself."""
    return re.sub(r"\{([^}]+)\}", lambda match: NAMES.get(match[1], match[1].partition(":")[0]), path)


PATHS = [*map(filled, TABLE), *NOWHERE]
CHANGES = [(method, filled(path)) for path, methods in TABLE.items() for method in methods if method not in READING]
GUARDED = [path for path in PATHS if path != SESSION]


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer", "secret", "Basic secret", "Bearer secret2", "Bearer secré"])
async def test_every_route_wants_the_token_where_one_is_set(make, path, given):
    admin = await make(token="secret")
    for method in METHODS:
        answer = await admin.ask(method, path, headers={"Authorization": given.encode("latin-1")} if given else None)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="orchestrator"'
        assert method == "HEAD" or answer.json()["error"]["code"] == "unauthorized"
    assert admin.prober.checked == []


@pytest.mark.parametrize("client", [("10.1.2.3", 1), None])
async def test_token_opens_from_anywhere_under_any_host(make, client):
    admin = await make(token="secret")
    headers = {"Authorization": "bearer secret", "Host": "fleet.example", "X-Forwarded-For": "10.0.0.1", "Origin": "https://fleet.example"}
    assert (await admin.ask("GET", "/api/servers", client=client, headers=headers)).status_code == 200


async def test_two_tokens_are_none(make):
    admin = await make(token="secret")
    assert (await admin.ask("GET", "/api/servers", headers=[("Authorization", "Bearer secret"), ("Authorization", "Bearer secret")])).status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (("10.1.2.3", 1), {}),
        (("fe80::1%eth0", 1), {}),
        (None, {}),
        (("127.0.0.1", 1), {"Host": "evil.example"}),
        (("127.0.0.1", 1), {"Host": "localhost.evil.example:5100"}),
        (("127.0.0.1", 1), {"Forwarded": "for=127.0.0.1"}),
        (("127.0.0.1", 1), {"X-Forwarded-For": "127.0.0.1"}),
        (("127.0.0.1", 1), {"X-Forwarded-Port": "443"}),
        (("127.0.0.1", 1), {"Via": "1.1 proxy"}),
        (("127.0.0.1", 1), {"Sec-Fetch-Site": "cross-site"}),
        (("127.0.0.1", 1), {"X-Real-IP": "127.0.0.1"}),
        (("127.0.0.1", 1), {"Origin": "http://evil.example"}),
        (("127.0.0.1", 1), {"Origin": "null"}),
        (("127.0.0.1", 1), {"Origin": "http://localhost:5101"}),
        (("127.0.0.1", 1), {"Origin": "https://localhost:5100"}),
    ],
)
async def test_without_a_token_every_route_answers_direct_local_programs_only(admin, path, client, headers):
    for method in METHODS:
        answer = await admin.ask(method, path, client=client, headers=headers)
        assert answer.status_code == 403
        assert method == "HEAD" or answer.json()["error"]["code"] == "forbidden"
    assert admin.prober.checked == []


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (("127.0.0.1", 1), {}),
        (("::1", 1), {"Host": "[::1]:5100"}),
        (("::ffff:127.0.0.1", 1), {"Host": "127.0.0.1"}),
        (("127.0.0.1", 1), {"Host": "192.168.1.5:5100"}),
        (("127.0.0.1", 1), {"Origin": "http://localhost:5100"}),
        (("127.0.0.1", 1), {"Host": "localhost", "Origin": "http://localhost:80"}),
    ],
)
async def test_local_programs_and_our_own_pages_get_in(admin, client, headers):
    assert (await admin.ask("GET", "/api/servers", client=client, headers=headers)).status_code == 200


class Door:
    """Every route of the admin API behind its rules, and a browser that is signed in."""

    def __init__(self, token="secret"):
        sessions = Sessions(token, "here", FakeClock())
        self.cookie = f"{sessions.cookie}={sessions.issue()[0]}"
        self._app = Starlette(routes=routes(Anything(), Guard(sessions)))

    async def ask(self, method, path, **headers):
        """The status. None leaves a header out; JSON is sent unless a test says otherwise."""
        given = {"cookie": self.cookie, "content_type": "application/json", **headers}
        named = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        transport = httpx.ASGITransport(self._app, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:5100") as http:
            return (await http.request(method, path, headers=named)).status_code


SAME_ORIGIN = [
    {"sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "same-origin", "origin": "http://localhost:5100"},
    {"origin": "http://localhost:5100"},
    {"origin": "https://fleet.example", "host": "fleet.example", "x_forwarded_proto": "https"},
    {"sec_fetch_site": "same-origin", "content_type": "application/json; charset=utf-8"},
]
ELSEWHERE = [
    {},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
    {"sec_fetch_site": "cross-site", "origin": "http://localhost:5100"},
    {"sec_fetch_site": "same-site", "origin": "http://localhost:5100"},
    {"origin": "http://localhost:5101"},
    {"origin": "https://localhost:5100"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://fleet.example", "host": "fleet.example", "x_forwarded_proto": "https"},
]
NO_JSON = [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/plain; application/json"]


class TestCookie:
    def test_the_table_has_changes(self):
        assert len(CHANGES) > 10
        assert ("POST", SESSION) in CHANGES

    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize("headers", SAME_ORIGIN)
    async def test_a_page_of_our_own_may_change_things(self, method, path, headers):
        assert await Door().ask(method, path, **headers) == 204

    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize("headers", ELSEWHERE)
    async def test_no_other_page_may(self, method, path, headers):
        assert await Door().ask(method, path, **headers) == 403

    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize("media_type", NO_JSON)
    async def test_nor_what_a_form_could_send(self, method, path, media_type):
        assert await Door().ask(method, path, sec_fetch_site="same-origin", content_type=media_type) == 415

    @pytest.mark.parametrize("path", [filled(path) for path, methods in TABLE.items() if "GET" in methods])
    async def test_reading_needs_the_cookie_alone(self, path):
        door = Door()
        for headers in ({}, {"content_type": None}, {"sec_fetch_site": "none"}):
            assert await door.ask("GET", path, **headers) == 204

    @pytest.mark.parametrize(("method", "path"), [change for change in CHANGES if change[1] != SESSION])
    async def test_a_bearer_needs_no_page(self, method, path):
        door = Door()
        assert await door.ask(method, path, cookie=None, authorization="Bearer secret", content_type=None) == 204
        assert await door.ask(method, path, authorization="Bearer secret", sec_fetch_site="cross-site") == 204

    @pytest.mark.parametrize("path", GUARDED)
    async def test_a_wrong_bearer_is_not_saved_by_a_good_cookie(self, path):
        assert await Door().ask("GET", path, authorization="Bearer wrong") == 401

    @pytest.mark.parametrize("path", GUARDED)
    async def test_another_cookie_is_none(self, path):
        door, other = Door(), Door("other")
        for cookie in (None, other.cookie, f"{door.cookie}x", door.cookie.replace("=", "x=", 1)):
            assert await door.ask("GET", path, cookie=cookie) == 401

    @pytest.mark.parametrize(("method", "path"), CHANGES)
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    async def test_without_a_token_no_page_of_elsewhere_may_change_things(self, method, path, site):
        assert await Door(token="").ask(method, path, cookie=None, sec_fetch_site=site) == 403
        assert await Door(token="").ask(method, path, cookie=None, sec_fetch_site="same-origin") == 204


@pytest.mark.parametrize(
    ("scheme", "forwarded", "https"),
    [("http", None, False), ("https", None, True), ("http", b"https", True), ("http", b"HTTPS, http", True), ("http", b"http, https", False)],
)
def test_https_may_end_at_a_proxy(scheme, forwarded, https):
    headers = [(b"x-forwarded-proto", forwarded)] if forwarded else []
    assert is_https({"type": "http", "scheme": scheme, "headers": headers}) is https


@pytest.mark.parametrize(
    ("address", "local"),
    [("127.8.8.8", True), ("::1", True), ("[::1]", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("", False), ("example", False)],
)
def test_loopback_addresses(address, local):
    assert is_loopback(address) is local


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]", "[::1]:80", "10.0.0.1"])
def test_hosts_that_no_name_server_can_point_elsewhere(host):
    assert is_local_host(host)


@pytest.mark.parametrize("host", ["", "a", "localhost.", "a@localhost", "localhost/x", "[::1", "localhost:x", "127.0.0.1.nip.io", "0x7f.1"])
def test_other_hosts(host):
    assert not is_local_host(host)


def test_an_origin_is_scheme_host_and_port():
    assert same_origin("http://a:1", "A:1", "http")
    assert same_origin("https://a", "a:443", "https")
    assert not same_origin("http://a:1", "a:2", "http")
    assert not same_origin("http://a:1", "a:1", "https")
