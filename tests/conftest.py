import logging

import pytest
from hypothesis import HealthCheck, settings

from orchestrator.telemetry.logs import CHATTY

# The same examples in every run, and no time limits: a busy machine must not make a test fail.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def logging_as_before():
    """A test that configures the logging of the process does so for itself alone."""
    root = logging.getLogger()
    handlers, level, levels = root.handlers[:], root.level, [logging.getLogger(name).level for name in CHATTY]
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, value in zip(CHATTY, levels, strict=True):
        logging.getLogger(name).setLevel(value)
