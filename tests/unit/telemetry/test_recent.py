from orchestrator.protocol.http import Headers, RequestHeaders
from orchestrator.telemetry.recent import MAX_HEADER_BYTES, MAX_KEPT, MAX_TEXT, Recent
from tests.unit.telemetry.kept import kept


def ids(recent: Recent) -> list[str]:
    return [one.record.request_id for one in recent.newest_first()]


def test_the_newest_come_first_and_the_oldest_go() -> None:
    recent = Recent(size=3)
    recent.read([kept(1), kept(2)])
    assert ids(recent) == ["r2", "r1"]
    recent.read([kept(3), kept(4)])
    assert ids(recent) == ["r4", "r3", "r2"]
    assert recent.total == 4


def test_a_batch_that_is_larger_than_all_that_is_kept_is_counted_whole() -> None:
    recent = Recent()
    recent.read([kept(number) for number in range(MAX_KEPT + 10)])
    assert (recent.total, len(recent.newest_first())) == (MAX_KEPT + 10, MAX_KEPT)
    assert ids(recent)[-1] == "r10"


def test_of_several_with_the_same_id_the_newest_is_found() -> None:
    recent = Recent()
    recent.read([kept(1, request_id="same"), kept(2), kept(3, request_id="same"), kept(4)])
    found = recent.find("same")
    assert found is not None
    assert found.record.time == kept(3).record.time
    assert recent.find("other") is None


def test_what_fell_out_is_not_found() -> None:
    recent = Recent(size=1)
    recent.read([kept(1), kept(2)])
    assert recent.find("r1") is None


def test_headers_are_kept_unless_they_are_too_large() -> None:
    def holds(headers: Headers) -> bool:
        recent = Recent()
        recent.read([kept(1, RequestHeaders(headers))])
        return recent.newest_first()[0].headers is not None

    small = [(b"user-agent", b"x"), (b"authorization", b"y")]
    assert holds(small)
    assert holds([*small, (b"x-much", b"x" * (MAX_HEADER_BYTES - 100))])
    assert not holds([*small, (b"x-much", b"x" * MAX_HEADER_BYTES)])
    assert not holds([*small, (b"cookie", b"x" * MAX_HEADER_BYTES)])


def test_long_texts_are_cut_in_memory_but_not_in_the_record_that_others_read() -> None:
    long = "x" * (MAX_TEXT + 1)
    one = kept(1, path=long, operation=long, reason=long)
    recent = Recent()
    recent.read([one])
    shown = recent.newest_first()[0].record
    assert (len(shown.path), len(shown.operation), len(shown.reason)) == (MAX_TEXT, MAX_TEXT, MAX_TEXT)
    assert one.record.path == long
