"""Faults on a deployment of several processes, each once; `bin/python -m crash --faults` does more of them."""

import pytest

from crash import faults


def hold(outcome):
    print(outcome)
    assert outcome.answered > 0
    assert not outcome.faults, outcome.faults[:10]


def test_every_kind_of_process_the_broker_and_the_database_may_die():
    hold(faults.kills())


def test_rabbitmq_may_die():
    hold(faults.broker_kills())


def test_the_database_may_be_away_for_longer_than_a_lease():
    hold(faults.outage())


def test_a_worker_may_be_cut_off_from_the_database():
    reason = faults.Network.why_not()
    if reason:
        pytest.skip(reason)
    hold(faults.cut())


def test_clocks_may_jump():
    assert faults.FAKETIME.exists(), "run bin/setup --test"
    hold(faults.clocks())


def test_the_disk_of_the_embedded_database_may_be_full():
    small = faults.SmallDisk(64)
    try:
        if small.why_not:
            pytest.skip(small.why_not)
        hold(faults.disk(small))
    finally:
        small.remove()
