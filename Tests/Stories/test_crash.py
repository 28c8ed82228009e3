"""Ten seeded kills on each database, and some with the unsynced writes undone; `make crash` does 200."""

from crash import money, story
from server import Postgres


def test_nothing_acknowledged_is_lost_on_the_embedded_database():
    outcome = story.run(kills=10, seed=1)
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults


def test_nothing_acknowledged_is_lost_on_postgres(postgres):
    outcome = story.run(kills=10, seed=2, database_url=postgres.create("crash_story"))
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults


def test_nothing_acknowledged_is_lost_when_unsynced_writes_vanish():
    outcome = story.run(kills=4, seed=3, unsynced=True)
    print(outcome)
    assert outcome.answered > 0
    assert outcome.undone > 0
    assert not outcome.faults


def test_no_money_is_lost_or_doubled_on_the_embedded_database():
    outcome = money.run(kills=6, seed=4)
    print(outcome)
    assert outcome.payments > 0 and outcome.used > 0
    assert not outcome.faults


def test_no_money_is_lost_or_doubled_on_postgres():
    own = Postgres()
    try:
        outcome = money.run(kills=6, seed=5, postgres=own)
    finally:
        own.stop()
    print(outcome)
    assert outcome.payments > 0 and outcome.used > 0
    assert not outcome.faults
