"""The token against a cookie."""

import json

import pytest

from orchestrator.admin.session import LIFETIME_SECONDS

PAGE = {"Sec-Fetch-Site": "same-origin"}
OUT = {"required": True, "signedIn": False, "expiresTime": None}


async def sign_in(admin, token="secret", expected=200, client=("127.0.0.1", 1), **headers):
    answer = await admin.ask("POST", "/api/session", {"token": token}, client=client, headers={**PAGE, **headers})
    assert answer.status_code == expected, answer.text
    return answer


async def session(admin, **headers):
    answer = await admin.ask("GET", "/api/session", headers=headers)
    assert answer.status_code == 200
    return answer.json()


def cookie_of(answer):
    return answer.headers["set-cookie"].partition(";")[0]


def attributes_of(answer):
    return answer.headers["set-cookie"].split("; ")[1:]


@pytest.fixture
async def guarded(make):
    return await make(token="secret")


async def test_a_token_becomes_a_cookie_that_no_script_reads_and_no_other_site_sends(guarded):
    answer = await sign_in(guarded)
    assert attributes_of(answer) == ["Path=/", f"Max-Age={LIFETIME_SECONDS}", "HttpOnly", "SameSite=Strict"]
    assert answer.json() == {"required": True, "signedIn": True, "expiresTime": "2026-01-02T15:04:05.000Z"}
    assert "secret" not in answer.text + str(answer.headers)
    assert answer.headers["cache-control"] == "no-store"


async def test_over_https_it_is_sent_over_https_only(guarded):
    assert "Secure" in attributes_of(await sign_in(guarded, **{"X-Forwarded-Proto": "https"}))


async def test_the_cookie_opens_the_admin_api_until_it_ends(guarded):
    cookie = cookie_of(await sign_in(guarded))
    assert (await guarded.ask("GET", "/api/servers", headers={"Cookie": cookie})).status_code == 200
    assert await session(guarded, Cookie=cookie) == {"required": True, "signedIn": True, "expiresTime": "2026-01-02T15:04:05.000Z"}
    guarded.clock.advance(LIFETIME_SECONDS)
    assert (await guarded.ask("GET", "/api/servers", headers={"Cookie": cookie})).status_code == 401
    assert await session(guarded, Cookie=cookie) == OUT


async def test_who_has_no_session_is_told_so(guarded):
    assert await session(guarded) == OUT
    assert await session(guarded, Authorization="Bearer wrong", Cookie=cookie_of(await sign_in(guarded))) == OUT
    assert await session(guarded, Authorization="Bearer secret") == {**OUT, "signedIn": True}


async def test_signing_out_ends_the_session_everywhere(guarded):
    cookie = cookie_of(await sign_in(guarded))
    other = cookie_of(await sign_in(guarded))
    answer = await guarded.ask("DELETE", "/api/session", headers={**PAGE, "Cookie": cookie, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, OUT)
    assert cookie_of(answer) == cookie.partition("=")[0] + "="
    assert attributes_of(answer) == ["Path=/", "Max-Age=0", "HttpOnly", "SameSite=Strict"]
    assert (await guarded.ask("GET", "/api/servers", headers={"Cookie": cookie})).status_code == 401
    assert (await guarded.ask("GET", "/api/servers", headers={"Cookie": other})).status_code == 200


async def test_who_is_not_signed_in_may_sign_out(guarded):
    answer = await guarded.ask("DELETE", "/api/session", headers={**PAGE, "Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (200, OUT)


async def test_every_wrong_token_gets_the_same_answer(make):
    told = set()
    for token in ("", "x", "secre", "secret2", "SECRET", "sécret", "x" * 8192):
        answer = await sign_in(await make(token="secret"), token, 401)
        assert "set-cookie" not in answer.headers
        told.add((answer.text, answer.headers.get("www-authenticate")))
    assert len(told) == 1
    assert json.loads(told.pop()[0])["error"] == {"code": "wrong_token", "message": "this is not the token of ORCHESTRATOR_ADMIN_TOKEN", "field": "token"}


@pytest.mark.parametrize("body", [{}, {"token": 5}, {"token": None}, {"token": "secret", "more": 1}, {"token": "x" * 8193}, []])
async def test_what_is_no_token_is_no_try(guarded, body):
    for _ in range(6):
        answer = await guarded.ask("POST", "/api/session", body, headers=PAGE)
        assert answer.status_code == 400
    await sign_in(guarded)


async def test_after_five_wrong_tries_the_right_token_waits_too(guarded):
    for _ in range(5):
        await sign_in(guarded, "wrong", 401)
    for token in ("wrong", "secret"):
        answer = await sign_in(guarded, token, 429)
        assert (answer.headers["retry-after"], answer.json()["error"]["code"]) == ("1", "too_many_tries")
    await sign_in(guarded, client=("10.0.0.9", 1))
    guarded.clock.advance(1)
    await sign_in(guarded)


async def test_waits_grow_to_a_minute(guarded):
    waits = []
    for _ in range(12):
        await sign_in(guarded, "wrong", 401)
        wait = int((await sign_in(guarded, "wrong", 429)).headers["retry-after"]) if len(waits) > 3 else 0
        waits.append(wait)
        guarded.clock.advance(wait)
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]


async def test_without_a_token_everybody_here_is_signed_in_and_gets_no_cookie(admin):
    signed_in = {"required": False, "signedIn": True, "expiresTime": None}
    assert await session(admin) == signed_in
    for method, body in (("POST", {"token": "anything"}), ("DELETE", None)):
        answer = await admin.ask(method, "/api/session", body, headers={**PAGE, "Content-Type": "application/json"})
        assert (answer.status_code, answer.json()) == (200, signed_in)
        assert "set-cookie" not in answer.headers


async def test_without_a_token_others_are_told_why_not(admin):
    answer = await admin.ask("GET", "/api/session", client=("10.0.0.1", 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
