"""The UI over HTTP: which page, under which rules."""

import gzip
import re

import httpx
import pytest
from starlette.applications import Starlette

from orchestrator.admin.bundle import Bundle
from orchestrator.admin.pages import routes, takes_gzip

YEAR = "public, max-age=31536000, immutable"
INDEX = '<meta name="csp-nonce" content="__CSP_NONCE__">'
SCRIPT = b"let a = 1;" * 20


@pytest.fixture
def folder(tmp_path):
    ui = tmp_path / "ui"
    (ui / "assets").mkdir(parents=True)
    (ui / "index.html").write_text(INDEX)
    (ui / "favicon.svg").write_text("<svg/>")
    (ui / "assets" / "a-1.js").write_bytes(SCRIPT)
    (ui / "assets" / "a-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (tmp_path / "secret.key").write_text("canary")
    return ui


@pytest.fixture
def ask(folder):
    app = Starlette(routes=routes(Bundle(folder), lambda host: host.startswith("localhost")))

    async def ask(path, method="GET", **headers):
        given = {"accept-encoding": "identity", **{name.replace("_", "-"): value for name, value in headers.items()}}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:5100") as http:
            answer = await http.request(method, path, headers=given)
        assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "no-referrer")
        return answer

    return ask


class TestPage:
    @pytest.mark.parametrize(
        "path", ["/ui/", "/ui/servers", "/ui/models/library/llama3.2:3b", "/ui/index.html", "/ui/sign-in?next=/ui/", "/ui/assetsx", "/ui//x"]
    )
    async def test_every_page_is_the_one_page(self, ask, path):
        answer = await ask(path)
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "text/html; charset=utf-8", "no-store")
        assert re.fullmatch('<meta name="csp-nonce" content="[\\w-]{20,}">', answer.text)

    async def test_the_policy_allows_its_own_nonce_and_nothing_from_elsewhere(self, ask):
        answer = await ask("/ui/")
        nonce = re.search('content="([^"]+)"', answer.text)[1]
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )

    async def test_no_nonce_is_used_twice(self, ask):
        assert len({(await ask("/ui/")).text for _ in range(20)}) == 20

    async def test_a_head_is_the_get_without_its_body(self, ask):
        get, head = await ask("/ui/"), await ask("/ui/", "HEAD")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", get.headers["content-length"])

    async def test_the_root_without_its_slash_leads_to_the_one_with_it(self, ask):
        answer = await ask("/ui?a=1&b=%0d%0aX")
        assert (answer.status_code, answer.headers["location"]) == (307, "/ui/?a=1&b=%0d%0aX")
        assert (await ask("/ui")).headers["location"] == "/ui/"

    async def test_a_page_of_which_nothing_was_built_says_how(self, ask, folder):
        (folder / "index.html").unlink()
        for path in ("/ui/", "/ui/servers"):
            answer = await ask(path)
            assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (503, "text/html; charset=utf-8", "no-store")
            assert "<code>make ui</code>" in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (await ask("/ui/assets/a-1.js")).status_code == 404


class TestFiles:
    async def test_an_asset_may_be_kept_for_a_year(self, ask):
        answer = await ask("/ui/assets/a-1.js")
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, SCRIPT, "text/javascript; charset=utf-8")
        assert (answer.headers["cache-control"], answer.headers["vary"], "content-encoding" in answer.headers) == (YEAR, "Accept-Encoding", False)

    async def test_it_comes_compressed_to_whom_takes_it(self, ask):
        plain, answer = await ask("/ui/assets/a-1.js"), await ask("/ui/assets/a-1.js", accept_encoding="gzip, deflate, br, zstd")
        assert (answer.headers["content-encoding"], answer.content) == ("gzip", SCRIPT)
        assert int(answer.headers["content-length"]) < len(SCRIPT)
        assert (answer.headers["cache-control"], answer.headers["vary"]) == (YEAR, "Accept-Encoding")
        assert answer.headers["etag"] != plain.headers["etag"]

    async def test_a_head_of_it_tells_the_same(self, ask):
        get, head = await ask("/ui/assets/a-1.js", accept_encoding="gzip"), await ask("/ui/assets/a-1.js", "HEAD", accept_encoding="gzip")
        assert (head.content, dict(head.headers)) == (b"", dict(get.headers))

    async def test_other_files_are_asked_for_again_and_not_sent_again(self, ask):
        answer = await ask("/ui/favicon.svg")
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, "image/svg+xml", "no-cache")
        again = await ask("/ui/favicon.svg", if_none_match=f'"other", W/{answer.headers["etag"]}')
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
        assert (await ask("/ui/favicon.svg", if_none_match='"other"')).status_code == 200

    @pytest.mark.parametrize(
        "name", ["b.js", "", "a-1.js.gz", "a-1.js/", "..%2f..%2fsecret.key", "%2e%2e/%2e%2e/secret.key", "..%5csecret.key", "a-1.js%00", "%2fetc%2fpasswd"]
    )
    async def test_an_unknown_asset_is_none_and_no_path_leads_out(self, ask, name):
        answer = await ask(f"/ui/assets/{name}")
        assert (answer.status_code, answer.text) == (404, "404 page not found") or answer.text.startswith("<meta")
        assert "canary" not in answer.text

    @pytest.mark.parametrize("path", ["/ui/..%2fsecret.key", "/ui/%2e%2e%2fsecret.key", "/ui/....//secret.key"])
    async def test_nor_does_one_of_a_page(self, ask, path):
        assert "canary" not in (await ask(path)).text


class TestRules:
    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    @pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/servers", "/ui/assets/a-1.js"])
    async def test_it_is_only_read(self, ask, method, path):
        answer = await ask(path, method)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")

    @pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/servers", "/ui/assets/a-1.js", "/ui/assets/none"])
    async def test_a_foreign_name_that_leads_here_learns_nothing(self, ask, path):
        answer = await ask(path, host="evil.example")
        assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [("gzip", True), ("br;q=1.0, GZIP;q=0.8", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("", False), ("identity, br", False), ("x-gzip", False)],
)
def test_who_takes_gzip(accepted, takes):
    assert takes_gzip(accepted) is takes
