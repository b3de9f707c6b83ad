import socket
import sys
from contextlib import closing

import pytest

from orchestrator.demo.place import Place


@pytest.fixture
def free() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_the_preferred_port_is_taken_if_it_is_free(free: int) -> None:
    with closing(Place(free)) as place:
        assert place.port == free
        assert place.url == f"http://127.0.0.1:{free}"


def test_a_port_in_use_is_left_alone() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with closing(Place(other.getsockname()[1])) as place:
            assert place.port != other.getsockname()[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="abstract Unix addresses are Linux only")
def test_two_demos_never_share_a_port_though_nobody_listens_yet(free: int) -> None:
    with closing(Place(free)) as first, closing(Place(free)) as second:
        assert first.port != second.port
    with closing(Place(free)) as third:
        assert third.port == free
