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


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    from editor_desk import CHROMIUM

    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def studio(server):
    """A tenant whose people build in the editor."""
    return server.create_tenant("studio", owner="stu@example.com")
