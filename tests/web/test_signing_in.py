"""Signing in with the admin token, and what is left of it."""

import re

import pytest
from playwright.sync_api import expect

from tests.web.conftest import TOKEN, serving
from tests.web.steps import everything_in, go, sign_in

WRONG = "This is not the token"
MAX_TRIES = 12


@pytest.fixture
def problems(problems):
    """Chromium itself tells of answers with an error status, which are part of signing in."""
    problems.expect("status of 401")
    return problems


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    """One that wants TOKEN, for tests that do nothing but sign in."""
    with serving(tmp_path_factory.mktemp("locked"), ORCHESTRATOR_ADMIN_TOKEN=TOKEN) as one:
        yield one


def token_asked(page, one, path="/"):
    page.goto(f"{one.base}/ui{path}")
    expect(page.get_by_role("heading", level=1, name="Sign in to the orchestrator")).to_be_visible()


def test_whoever_signs_in_gets_the_page_that_was_asked_for(page, problems, locked):
    token_asked(page, locked, "/requests?result=failed&q=llama")
    expect(page).to_have_url(re.compile(r"/ui/sign-in\?next="))
    expect(page.get_by_label("Admin token")).to_be_focused()
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Requests")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ui/requests\?result=failed&q=llama$"))
    expect(page.get_by_role("textbox", name="Filter requests")).to_have_value("llama")
    page.reload()
    expect(page.get_by_role("heading", level=1, name="Requests")).to_be_visible()


@pytest.mark.parametrize("wrong", ["quite-another", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ünlike-it"], ids=["other", "shorter", "longer", "case", "odd"])
def test_a_wrong_token_is_told_in_words_that_say_nothing_of_the_right_one(page, problems, locked, wrong):
    token_asked(page, locked, "/servers")
    sign_in(page, wrong)
    field = page.get_by_label("Admin token")
    expect(field).to_have_accessible_description("This is not the token. It is the value of ORCHESTRATOR_ADMIN_TOKEN where the orchestrator was started.")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    assert page.context.cookies() == []
    assert wrong not in everything_in(page)
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Servers")).to_be_visible()


def test_nothing_of_the_token_stays_in_the_page(page, problems, locked):
    asked = []
    page.on("request", lambda request: asked.append((request.url, request.headers)))
    token_asked(page, locked)
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Live")
    assert TOKEN not in everything_in(page)
    assert TOKEN not in str(asked)
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert TOKEN not in cookie["value"]
    assert page.evaluate("document.cookie") == ""


ELSEWHERE = [
    "//evil.example/",
    "/\\evil.example/",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\t/evil.example/",
    "\\\\evil.example",
    "/..//evil.example/",
    "/.//evil.example/",
    "data:text/html,evil",
    "evil.example",
]


@pytest.mark.parametrize("there", ELSEWHERE)
def test_signing_in_never_leads_to_another_site(page, problems, locked, there):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    token_asked(page, locked, f"/sign-in?next={quoted(there)}")
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Sign in to the orchestrator")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.startswith(f"{locked.base}/")
    assert [url for url in asked if not url.startswith(f"{locked.base}/")] == []


def quoted(text):
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_whoever_is_signed_in_is_not_asked_again(page, problems, locked):
    token_asked(page, locked)
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    page.goto(f"{locked.base}/ui/sign-in?next=%2Fmodels")
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ui/models$"))


def test_signing_out_ends_the_session_here_and_in_every_other_tab(page, problems, guarded, context):
    token_asked(page, guarded, "/servers")
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Servers")).to_be_visible()
    (cookie,) = context.cookies()
    held = {"Cookie": f"{cookie['name']}={cookie['value']}"}
    assert guarded.ask("GET", "/api/servers", headers=held)[0] == 200
    other = context.new_page()
    problems.watch(other)
    go(other, guarded, "/about")
    page.get_by_role("button", name="Session").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_label("Admin token")).to_be_visible()
    assert context.cookies() == []
    assert guarded.ask("GET", "/api/servers", headers=held)[0] == 401
    page.go_back()
    expect(page.get_by_label("Admin token")).to_be_visible()
    other.get_by_role("link", name="Circuit breakers").click()
    expect(other.get_by_label("Admin token")).to_be_visible()


def test_without_a_token_nobody_is_asked_for_one_or_can_sign_out(page, problems, orchestrator):
    go(page, orchestrator, "/sign-in?next=%2Fservers")
    expect(page.get_by_role("heading", level=1, name="Servers")).to_be_visible()
    expect(page.get_by_role("button", name="Session")).to_have_count(0)


def test_an_open_page_whose_session_ends_asks_for_the_token_and_comes_back(page, problems, guarded):
    problems.expect("net::ERR_")
    token_asked(page, guarded, "/models?q=llama")
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Live")
    guarded.__exit__()
    guarded.environment["ORCHESTRATOR_ADMIN_TOKEN"] = "another-token-than-before"
    guarded.__enter__()
    expect(page.get_by_label("Admin token")).to_be_visible(timeout=30_000)
    sign_in(page, TOKEN)
    expect(page.get_by_text(WRONG)).to_be_visible()
    sign_in(page, "another-token-than-before")
    expect(page.get_by_role("heading", level=1, name="Models")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/ui/models\?q=llama$"))
    expect(page.get_by_role("banner").get_by_role("status")).to_have_text("Live")


def test_too_many_wrong_tries_show_how_long_to_wait_and_then_let_the_right_token_in(page, problems, guarded):
    problems.expect("status of 429")
    token_asked(page, guarded)
    for _ in range(MAX_TRIES):
        with page.expect_response("**/api/session") as answered:
            sign_in(page, "wrong")
        if answered.value.status == 429:
            break
    expect(page.get_by_role("alert")).to_contain_text("Too many wrong tries")
    assert answered.value.status == 429
    assert int(answered.value.headers["retry-after"]) >= 1
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled(timeout=70_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    sign_in(page, TOKEN)
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


def test_the_token_is_hidden_until_it_is_to_be_seen(page, problems, locked):
    token_asked(page, locked)
    field = page.get_by_label("Admin token")
    expect(field).to_have_attribute("type", "password")
    field.fill("seen")
    page.get_by_role("button", name="Show token").click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_have_value("seen")
