"""Ten seeded kills on each database, and some with unsynced writes undone; `make crash` does 200."""

import pytest

from crash import story


@pytest.mark.parametrize("seed", [1])
def test_nothing_acknowledged_is_lost_on_sqlite(seed):
    outcome = story.run(kills=10, seed=seed)
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults


@pytest.mark.parametrize("seed", [2])
def test_nothing_acknowledged_is_lost_on_postgres(seed, postgres):
    outcome = story.run(kills=10, seed=seed, database_url=postgres.create("crash_story"))
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults


def test_nothing_acknowledged_is_lost_when_unsynced_writes_vanish():
    outcome = story.run(kills=5, seed=3, unsynced=True)
    print(outcome)
    assert outcome.answered > 0
    assert outcome.undone > 0
    assert not outcome.faults
