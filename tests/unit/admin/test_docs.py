"""docs/admin-api.md names every route, member and error code that there is."""

import re
from pathlib import Path

from msgspec.structs import fields

from orchestrator import admin
from orchestrator.admin.answers import BreakerAnswer, ModelAnswer, ServerAnswer, V1ModelAnswer
from orchestrator.admin.requests import Filter
from orchestrator.admin.routes import operations
from orchestrator.admin.shapes import AttemptAnswer, ConnectionAnswer, EndpointAnswer, FleetModel, InFlightAnswer, ModelOnServer, RequestDetail, WhereNow

TEXT = (Path(__file__).parents[3] / "docs" / "admin-api.md").read_text("utf-8")
ANYTHING = type("Anything", (), {"__getattr__": lambda self, _name: self})()
REQUESTS = (RequestDetail, AttemptAnswer, InFlightAnswer, Filter)


def test_every_route_is_documented():
    for path, methods in operations(ANYTHING).items():
        shown = (
            path.replace("{server_id}", "{server}" if "breakers" in path else "{id}")
            .replace("{model:path}", "{model}")
            .replace("{request_id:path}", "{id}")
            .replace("{action}", "open")
        )
        for method in methods:
            assert f"`{method} {shown}`" in TEXT or f"`{method} {shown}`, " in TEXT


def test_every_member_is_documented():
    for shape in (ServerAnswer, ModelAnswer, V1ModelAnswer, BreakerAnswer, ConnectionAnswer, EndpointAnswer, FleetModel, ModelOnServer, WhereNow, *REQUESTS):
        for field in fields(shape):
            assert f"`{field.encode_name}`" in TEXT, field.encode_name


def test_error_codes_are_those_of_the_code():
    source = "".join(path.read_text("utf-8") for path in Path(admin.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'AdminError\(\s*\d{3}, "(\w+)"', source)) | {"forbidden"}
    documented = {code for row in re.findall(r"^\| \d{3} \| (.*?) \|", TEXT, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    assert documented == raised
