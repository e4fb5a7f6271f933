"""Which server the tests of real Kafka clients run against: --server tidemill (the default), kafka or both."""
import pytest
import servers


def pytest_addoption(parser):
    parser.addoption("--server", choices=(*servers.KINDS, "both"), default="tidemill", help="what serves the tests of Kafka clients")
    parser.addoption("--clients", action="store_true", help="also those that need what scripts/setup_clients.sh installs")


def pytest_configure(config):
    config.addinivalue_line("markers", "clients: needs what scripts/setup_clients.sh installs")


def pytest_generate_tests(metafunc):
    if "server_kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--server")
        metafunc.parametrize("server_kind", tuple(servers.KINDS) if chosen == "both" else (chosen,), scope="session")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--server") == "tidemill":
        items[:] = [item for item in items if item.get_closest_marker("apache_kafka") is None]
    if not config.getoption("--clients"):
        items[:] = [item for item in items if item.get_closest_marker("clients") is None]


@pytest.fixture(scope="session")
def real_kafka(tmp_path_factory):
    """One for all tests, as it takes long to start."""
    server = servers.Kafka(tmp_path_factory.mktemp("kafka"), **{"log.cleaner.backoff.ms": 500})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def broker(request, server_kind, tmp_path):
    """What clients connect to: a Tidemill of its own for each test, or the one Kafka."""
    if server_kind == "kafka":
        server = request.getfixturevalue("real_kafka")
        yield server
        if server.process.poll() is not None:
            server.start()
        return
    server = servers.Tidemill(tmp_path)
    server.start()
    yield server
    if server.process.poll() is None:
        server.stop()
    assert "ERROR" not in server.errors.read_text(), server.errors.read_text()
