"""The resolver started from a snapshot, under the official runtime client and a Lambda that takes one."""

import json
import subprocess
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Self

import pytest

from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance
from cir.index.store import IdentityStore, TableNames
from sandbox.aws.functions import Function, runtime_command, runtime_environment
from sandbox.aws.runtime_api import RuntimeApi
from sandbox.machine.cache_server import Cache as CacheServer
from sandbox.machine.processes import Process
from sandbox.machine.web import Handler, Server
from sandbox.system import LAMBDAS
from tests.support.sync_plane import mobile

JOHN = Profile("John Smith", "John", "Gold", "Active", "en-GB", "q-gold")
NUMBER = mobile(1)


class Role:
    """The endpoint from which a function that starts from snapshots gets its credentials; they last so many seconds."""

    def __init__(self, *, seconds: float) -> None:
        self.issued = 0
        role = self

        class Answer(Handler):
            def do_GET(self) -> None:  # noqa: N802 - http.server calls it by this name
                role.issued += 1
                expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
                body = {"AccessKeyId": "ASIA", "SecretAccessKey": "testing", "Token": "testing", "Expiration": expires}
                self.reply(HTTPStatus.OK, body)

        self.server = Server(Answer)


class Restorable:
    """A resolver's process. It stands where Lambda takes the snapshot until `api.restore()`."""

    def __init__(self, role: Role, tables: TableNames, *, aws_url: str, cache_url: str) -> None:
        self.api = RuntimeApi()
        variables = {
            "CIR_ENVIRONMENT": "test",
            "AWS_ENDPOINT_URL": aws_url,
            "IDENTIFIERS_TABLE": tables.identifiers,
            "CONTACTS_TABLE": tables.contacts,
            "LEDGER_TABLE": tables.ledger,
            "CACHE_URL": cache_url,
            "CACHE_HASH_KEY": "00ff" * 16,
            "DEFAULT_QUEUE_ID": "q-default",
            "RESOLVER_BUDGET_MS": "2000",
        }
        function = Function(
            name="resolver", handler="functions.resolver.handler.handler", directory=LAMBDAS, environment=variables
        )
        environment = runtime_environment(function, runtime_api=self.api.address, region="eu-west-1") | {
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{role.server.address}/",
        }
        self._process = Process(
            runtime_command(function), environment=environment, directory=LAMBDAS, output=subprocess.DEVNULL
        )

    def __enter__(self) -> Self:
        assert self.api.wait_until_snapshot(30) is None
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.api.close()

    def ask(self, number: str) -> dict[str, Any]:
        event = json.dumps({"ani": number}).encode()
        result = self.api.invoke(event, function_arn="arn:aws:lambda:eu-west-1:1:function:r", timeout_seconds=10)
        assert not result.failed, result.payload
        answer: dict[str, Any] = json.loads(result.payload)
        return answer


@pytest.fixture
def role() -> Iterator[Role]:
    # to be renewed at every use: the resolver does so five minutes ahead
    role = Role(seconds=60)
    yield role
    role.server.close()


@pytest.fixture
def own_cache() -> Iterator[CacheServer]:
    """Not the session's: it is restarted here."""
    with CacheServer(cluster=False) as server:
        yield server


def connections(server: CacheServer) -> int:
    """Of others than this test."""
    with server.client() as client:
        return len(client.client_list()) - 1


def test_a_snapshot_holds_no_connection_and_what_is_restored_from_it_answers_at_once(
    aws_url: str, tables: TableNames, own_cache: CacheServer, role: Role, store: IdentityStore
) -> None:
    with Restorable(role, tables, aws_url=aws_url, cache_url=own_cache.url) as resolver:
        assert connections(own_cache) == 0
        issued = role.issued
        assert issued, "the snapshot was taken without having read a table once"
        own_cache.stop()  # the cache of hours ago
        own_cache.start()
        store.put_contact(
            Contact("john").changed(profile=JOHN, identifiers=(NUMBER,)),
            previous=None,
            decision=store.decision("john", "sync", "a new record"),
            source="salesforce",
            assurance=Assurance.CLAIMED,
        )
        resolver.api.restore()
        assert [resolver.ask(NUMBER.value)["cacheStatus"] for _ in range(2)] == ["miss", "hit"]
        assert resolver.ask(NUMBER.value)["contactId"] == "john"
        assert connections(own_cache) == 1
        assert role.issued > issued


def test_a_function_whose_stores_are_away_when_the_snapshot_is_taken_can_be_restored(
    tables: TableNames, role: Role
) -> None:
    nowhere = "127.0.0.1:9"
    with Restorable(role, tables, aws_url=f"http://{nowhere}", cache_url=f"redis://{nowhere}") as resolver:
        resolver.api.restore()
        assert resolver.ask(NUMBER.value)["outcome"] == "DEGRADED"
