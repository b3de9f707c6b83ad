"""Who gets in, on every route of the admin API."""

import pytest

from orchestrator.admin.access import is_local_host, is_loopback, same_origin
from orchestrator.admin.routes import operations

PATHS = [
    path.replace("{server_id}", "a").replace("{model:path}", "library/m:1").replace("{action}", "open")
    for path in operations(type("Anything", (), {"__getattr__": lambda self, _name: self})())
] + ["/api/servers/a/nothing", "/api/breakers/a", "/api/health-check/x"]
METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")


@pytest.mark.parametrize("path", PATHS)
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
