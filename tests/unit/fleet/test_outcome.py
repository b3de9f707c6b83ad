"""The table that breaker, retry and metrics read."""

from orchestrator.fleet.outcome import Outcome


def test_labels_are_the_words_of_the_api():
    assert [outcome.label for outcome in Outcome] == (
        ["ok", "client_error", "rate_limited", "auth", "model_missing", "server_error", "connect_error", "timeout", "truncated", "client_gone", "cancelled"]
    )


def test_what_is_not_the_servers_doing_is_no_strike():
    blameless = {outcome for outcome in Outcome if outcome.strikes == "none"}
    assert blameless == {Outcome.OK, Outcome.CLIENT_ERROR, Outcome.AUTH, Outcome.MODEL_MISSING, Outcome.CLIENT_GONE, Outcome.CANCELLED}


def test_only_an_unreachable_server_is_struck_as_a_whole():
    assert [outcome for outcome in Outcome if outcome.strikes == "server"] == [Outcome.CONNECT_ERROR]


def test_nothing_is_repeated_that_a_client_saw_part_of_or_caused_itself():
    final = {outcome for outcome in Outcome if not outcome.retryable}
    assert final == {Outcome.OK, Outcome.CLIENT_ERROR, Outcome.TRUNCATED, Outcome.CLIENT_GONE, Outcome.CANCELLED}


def test_what_a_server_turned_away_cost_it_nothing():
    free = {outcome for outcome in Outcome if not outcome.costs}
    assert free == {Outcome.CLIENT_ERROR, Outcome.RATE_LIMITED, Outcome.AUTH, Outcome.MODEL_MISSING, Outcome.CONNECT_ERROR}


def test_only_a_success_teaches_times():
    assert [outcome for outcome in Outcome if outcome.teaches] == [Outcome.OK]
