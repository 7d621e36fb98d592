"""The sandbox's cache server, on every server program that this machine has."""

from collections.abc import Iterator

import pytest
import redis

from sandbox.machine.cache_server import SERVER_VARIABLE, Cache, Server, default_server, servers
from sandbox.machine.processes import StartError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=servers(), ids=str)
def server(request: pytest.FixtureRequest) -> Server:
    chosen: Server = request.param
    return chosen


@pytest.fixture(scope="module")
def cache(server: Server) -> Iterator[Cache]:
    with Cache(server=server) as running:
        yield running


def test_it_is_a_cluster_of_one_node_like_serverless(cache: Cache) -> None:
    with cache.client() as client:
        pipeline = client.pipeline(transaction=False)
        pipeline.set("a", "1").set("b", "2").get("a").get("b")
        assert pipeline.execute()[2:] == ["1", "2"]
        with pytest.raises(redis.exceptions.ClusterCrossSlotError):
            client.mget("a", "b")


def test_its_memory_is_bounded_and_nothing_is_persisted(cache: Cache) -> None:
    with cache.client() as client:
        settings = client.config_get("maxmemory", "maxmemory-policy", "save", "appendonly")
    assert settings == {
        "maxmemory": str(64 * 1024 * 1024),
        "maxmemory-policy": "volatile-lru",
        "save": "",
        "appendonly": "no",
    }


def test_paused_it_keeps_the_connection_and_answers_later(cache: Cache) -> None:
    with redis.from_url(cache.url, socket_timeout=0.2, decode_responses=True, retry=None) as client:
        client.set("kept", "yes")
        cache.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                client.get("kept")
        finally:
            cache.resume()
        assert client.get("kept") == "yes"


def test_stopped_and_started_it_is_empty_at_the_same_url(cache: Cache) -> None:
    url = cache.url
    with cache.client() as client:
        client.set("a", "1")
        cache.stop()
        with pytest.raises(redis.ConnectionError):
            client.get("a")
        cache.start()
        assert cache.url == url
        assert client.get("a") is None
        assert client.set("b", "writable")


def test_a_port_in_use_is_reported_instead_of_using_what_is_there(cache: Cache) -> None:
    with pytest.raises(StartError, match=f"on port {cache.port} cannot start: that port is in use"):
        Cache(port=cache.port, cluster=False).start()


def test_a_wrong_server_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SERVER_VARIABLE, "/bin/true")
    with pytest.raises(StartError, match="not a Valkey or Redis server"):
        default_server()
