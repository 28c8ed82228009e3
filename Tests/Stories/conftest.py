import pytest

from server import Postgres


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.stop()
