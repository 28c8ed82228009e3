"""Ten seeded kills; `make crash` does 200 on each database."""

from crash import story


def test_nothing_acknowledged_is_lost_on_the_embedded_database():
    outcome = story.run(kills=10, seed=1)
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults
