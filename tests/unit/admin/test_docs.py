"""docs/admin-api.md names every route, member and error code that there is."""

import re
from pathlib import Path
from typing import get_args

from msgspec.structs import fields

from orchestrator import admin
from orchestrator.admin.answers import BreakerAnswer, ModelAnswer, ServerAnswer, V1ModelAnswer
from orchestrator.admin.hub import TOPICS
from orchestrator.admin.requests import Filter
from orchestrator.admin.routes import operations
from orchestrator.admin.shapes import (
    ActivityAnswer,
    AttemptAnswer,
    Changed,
    CheckAnswer,
    ConnectionAnswer,
    EndpointAnswer,
    EventAnswer,
    EventKind,
    FleetModel,
    Hello,
    InFlightAnswer,
    InFlightRows,
    ModelOnServer,
    PointAnswer,
    RequestDetail,
    RequestRows,
    ServerHistoryAnswer,
    WhereNow,
)  # fmt: skip

TEXT = (Path(__file__).parents[3] / "docs" / "admin-api.md").read_text("utf-8")
ANYTHING = type("Anything", (), {"__getattr__": lambda self, _name: self})()
LIVE = (PointAnswer, CheckAnswer, ServerHistoryAnswer, EventAnswer, ActivityAnswer, Hello, RequestRows, InFlightRows, Changed)
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
    for shape in (
        ServerAnswer,
        ModelAnswer,
        V1ModelAnswer,
        BreakerAnswer,
        ConnectionAnswer,
        EndpointAnswer,
        FleetModel,
        ModelOnServer,
        WhereNow,
        *REQUESTS,
        *LIVE,
    ):
        for field in fields(shape):
            assert f"`{field.encode_name}`" in TEXT, field.encode_name


def test_error_codes_are_those_of_the_code():
    source = "".join(path.read_text("utf-8") for path in Path(admin.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'AdminError\(\s*\d{3}, "(\w+)"', source)) | {"forbidden"}
    documented = {code for row in re.findall(r"^\| \d{3} \| (.*?) \|", TEXT, re.MULTILINE) for code in re.findall(r"`(\w+)`", row)}
    assert documented == raised


def test_every_event_and_topic_of_the_stream_is_documented():
    for topic, names in TOPICS.items():
        for name in names:
            assert re.search(rf"^\| `{name}` \| `{topic}` \|", TEXT, re.MULTILINE), name


def test_every_kind_of_activity_is_documented():
    for kind in get_args(EventKind):
        assert f"`{kind}`" in TEXT
