"""Who calls where proxies are in front: limits of attempts go by the address that the nearest proxy of ours names, and by no other."""

import pytest

from server import Server

# Refused without the work of a password's hash, so that many fit into a second.
WRONG = {"token": "of no link", "password": "not the password"}
# More than a network may try within the time that they take.
ATTEMPTS = 40


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("behind"), environment={"AIAS_TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("alone")).start()
    yield server
    server.stop()


def attempt(server, **headers):
    return server.request("POST", "/v1/password-resets", WRONG, headers={name.replace("_", "-"): value for name, value in headers.items()})[0]


def use_up(server, **headers):
    for _ in range(ATTEMPTS):
        if attempt(server, **headers) == 429:
            return
    raise AssertionError("nothing limits these attempts")


def test_each_client_of_a_proxy_has_attempts_of_its_own(behind):
    use_up(behind, X_Forwarded_For="203.0.113.1")
    assert attempt(behind, X_Forwarded_For="203.0.113.2") == 410
    use_up(behind, X_Forwarded_For="2001:db8:1:2::1")
    assert attempt(behind, X_Forwarded_For="2001:db8:1:3::1") == 410


def test_what_a_client_says_of_itself_gives_it_no_more_attempts(behind):
    spoofed = iter(f"198.51.100.{number}" for number in range(1, 250))
    for _ in range(ATTEMPTS):
        if attempt(behind, X_Forwarded_For=f"{next(spoofed)}, 203.0.113.7", Forwarded=f"for={next(spoofed)}") == 429:
            break
    else:
        raise AssertionError("a spoofed address counts")
    # The same client through one more proxy of ours, and with the port of its connection.
    use_up(behind, X_Forwarded_For="203.0.113.8, 10.0.0.5")
    assert 429 in {attempt(behind, X_Forwarded_For=f"203.0.113.8:{port}") for port in range(4000, 4010)}


def test_without_the_setting_no_header_is_believed(alone):
    for number in range(ATTEMPTS):
        if attempt(alone, X_Forwarded_For=f"203.0.113.{number}") == 429:
            return
    raise AssertionError("a header of a stranger counts")
