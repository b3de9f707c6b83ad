"""Every page that the UI has, read out of its routes, so that none can be forgotten."""

import re

from playwright.sync_api import expect

from tests.web.conftest import ROOT

ROUTER = ROOT / "frontend/src/app/router.tsx"
SIGN_IN = "/sign-in"
EXAMPLES = {"$id": "gpu-1"}
"""What stands for the parameters of paths; it is in the fleet of the tests."""
VIEWS = {
    "/": ["?range=6h"],
    "/servers": ["?q=nothing-like-this"],
    "/servers/$id": ["?tab=health", "?tab=breakers", "?tab=requests", "?tab=configuration"],
    "/models": ["?q=nothing-like-this", "?loaded=true"],
    "/requests": ["?view=inflight", "?result=failed", "?q=nothing-like-this"],
    "/playground": ["?model=llama3.2:3b&with=gpt-demo"],
}


def routes():
    """The paths of all routes but those without one of their own."""
    text = ROUTER.read_text("utf-8")
    found = re.findall(r"\n  path: '([^']+)'", text)
    assert len(found) == text.count("createRoute({") - text.count("\n  id: '")
    return found


def example(route):
    """An address of a route. A KeyError where it has a parameter that EXAMPLES lacks."""
    return re.sub(r"\$\w+", lambda name: EXAMPLES[name[0]], route)


def pages():
    """One address of every page within the shell; then one that is not there."""
    return [example(route) for route in routes() if route != SIGN_IN] + ["/nowhere"]


def views():
    """Other looks of the same pages."""
    return [example(route) + view for route in routes() for view in VIEWS.get(route, [])]


def is_loaded(page):
    """Waits until the page stands there with all that it shows."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("status", name=re.compile("^(Loading|Asking)"))).to_have_count(0)
