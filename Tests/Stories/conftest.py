import pytest

from server import Postgres


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    from server import Server

    running = Server(tmp_path_factory.mktemp("data")).start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def acme(server):
    """A tenant on the custom plan, without limits, and its key."""
    return server.create_tenant("acme")


@pytest.fixture(scope="session")
def globex(server):
    return server.create_tenant("globex", owner="gus@example.com")
