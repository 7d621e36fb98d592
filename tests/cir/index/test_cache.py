"""The cache on a real server in cluster mode: one round trip, versions, leases, staleness, failure."""

import time
from collections.abc import Callable

import pytest

from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, Profile
from cir.identity.rules import IdentifierType
from cir.index.cache import DEFAULT_LIMITS, Cache, CacheLimits, CacheUnavailableError, Candidates
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache

MOBILE = Identifier(IdentifierType.PHONE, "+19175550142", "+19175550142")
OFFICE = Identifier(IdentifierType.PHONE, "+12125550188", "+12125550188")
EMAIL = Identifier(IdentifierType.EMAIL, "johnsmith@gmail.com", "john.smith@gmail.com")
JOHN = Contact("c-john", Profile("John Smith", "John", "Enterprise", "Active", "en-US", "q-1"), generation=3)
ONLY_JOHN = Candidates((JOHN.contact_id,), 1)


def put_john(cache: Cache, *identifiers: Identifier, version: int = 1) -> None:
    cache.put(dict.fromkeys(identifiers, (version, ONLY_JOHN)), [JOHN])


def known(cache: Cache, identifier: Identifier) -> Contact | None:
    (answer,) = cache.read([identifier])
    return answer.contact.value if answer.contact else None


def commands_served(server: CacheServer) -> int:
    with server.client() as client:
        stats = client.info("commandstats")
    return sum(entry["calls"] for name, entry in stats.items() if name.startswith(("cmdstat_evalsha", "cmdstat_eval")))


def test_identifiers_and_their_contacts_come_back_in_one_round_trip(cache: Cache, cache_server: CacheServer) -> None:
    put_john(cache, MOBILE, EMAIL)
    cache.put({OFFICE: (4, Candidates(("c-john", "c-ann"), 2, ask_for="email"))}, [])
    assert cache.warm_up()
    before = commands_served(cache_server)
    mobile, office, email = cache.read([MOBILE, OFFICE, EMAIL])
    assert commands_served(cache_server) - before == 1
    assert mobile.contact and mobile.contact.value == JOHN and mobile.contact.fresh  # noqa: PT018
    assert email.contact == mobile.contact
    assert office.candidates and office.candidates.value == Candidates(("c-john", "c-ann"), 2, ask_for="email")  # noqa: PT018
    assert office.contact is None


def test_no_key_says_whose_it_is(cache: Cache, cache_server: CacheServer) -> None:
    put_john(cache, MOBILE, EMAIL)
    with cache_server.client() as client:
        keys = list(client.scan_iter(count=1000))
    assert not [key for key in keys if "9175550142" in key or "smith" in key.lower()]


def test_all_keys_of_a_lookup_share_a_slot(cache: Cache, cache_server: CacheServer) -> None:
    with cache_server.client() as client:
        slots = {
            client.execute_command("CLUSTER KEYSLOT", key)
            for key in (cache.identifier_key(MOBILE), cache.identifier_key(EMAIL), cache.contact_key("c-john"))
        }
    assert len(slots) == 1


def test_an_older_profile_never_overwrites_a_newer_one(cache: Cache) -> None:
    put_john(cache, MOBILE)
    cache.put({}, [Contact("c-john", Profile("Old Name"), generation=2)])
    assert known(cache, MOBILE) == JOHN
    newer = Contact("c-john", Profile("New Name"), generation=4)
    cache.put({}, [newer])
    assert known(cache, MOBILE) == newer


def test_what_was_read_before_a_change_cannot_be_written_after_it(cache: Cache) -> None:
    put_john(cache, MOBILE, version=1)
    cache.invalidate(identifiers={MOBILE: 2}, contacts={"c-john": 4})
    put_john(cache, MOBILE, version=1)
    (answer,) = cache.read([MOBILE])
    assert answer.candidates is None
    cache.put(
        {MOBILE: (2, ONLY_JOHN)},
        [Contact("c-john", Profile("New"), generation=4)],
        began=answer.read_at,
        consistent=True,
    )
    cache.invalidate(identifiers={MOBILE: 2}, contacts={"c-john": 4})  # the stream delivers twice
    found = known(cache, MOBILE)
    assert found and found.profile.display_name == "New"  # noqa: PT018


def test_an_identifier_of_a_merged_contact_leads_to_the_canonical_one(cache: Cache) -> None:
    tombstone = Contact("c-old", merged_into="c-older", generation=2)
    older = Contact("c-older", merged_into="c-john", generation=2)
    cache.put({OFFICE: (1, Candidates(("c-old",), 1))}, [tombstone, older, JOHN])
    assert known(cache, OFFICE) == JOHN
    (by_id,) = cache.read([], ["c-old"])
    assert by_id.contact
    assert by_id.contact.value == JOHN


def test_a_merge_loop_ends(cache: Cache) -> None:
    there, back = Contact("c-1", merged_into="c-2", generation=1), Contact("c-2", merged_into="c-1", generation=1)
    cache.put({OFFICE: (1, Candidates(("c-1",), 1))}, [there, back])
    assert len(cache.read([OFFICE])) == 1


def test_an_unknown_number_is_remembered_for_a_short_while_only(cache_server: CacheServer) -> None:
    cache = new_cache(cache_server, CacheLimits(fresh=60, fresh_negative=0.05))
    cache.put({MOBILE: (0, Candidates()), OFFICE: (1, ONLY_JOHN)}, [JOHN])
    assert [answer.candidates and answer.candidates.fresh for answer in cache.read([MOBILE, OFFICE])] == [True, True]
    time.sleep(0.1)
    assert [answer.candidates and answer.candidates.fresh for answer in cache.read([MOBILE, OFFICE])] == [False, True]


def test_one_caller_reads_the_table_for_all(cache: Cache) -> None:
    assert [cache.read([MOBILE])[0].lease for _ in range(3)] == [True, False, False]
    put_john(cache, MOBILE)
    assert [cache.read([MOBILE])[0].lease for _ in range(3)] == [False, False, False]


def test_an_entry_near_its_end_is_refreshed_by_one_caller_and_answers_all(cache_server: CacheServer) -> None:
    cache = new_cache(cache_server, CacheLimits(fresh=5, refresh_window=10))
    put_john(cache, MOBILE)
    answers = [cache.read([MOBILE])[0] for _ in range(3)]
    assert [answer.lease for answer in answers] == [True, False, False]
    assert all(answer.contact and answer.contact.fresh for answer in answers)


def test_a_stale_entry_is_kept_for_the_day_the_tables_are_down(cache_server: CacheServer) -> None:
    cache = new_cache(cache_server, CacheLimits(fresh=0.02, keep=60))
    put_john(cache, MOBILE)
    time.sleep(0.05)
    (answer,) = cache.read([MOBILE])
    assert answer.contact
    assert (answer.contact.value, answer.contact.fresh) == (JOHN, False)


def test_a_lost_script_is_loaded_again(cache: Cache, cache_server: CacheServer) -> None:
    put_john(cache, MOBILE)
    with cache_server.client() as client:
        client.script_flush()
    assert known(cache, MOBILE) == JOHN


def test_a_cache_that_is_gone_is_asked_once_and_found_again(cache_server: CacheServer) -> None:
    server = CacheServer(server=cache_server.server, cluster=False)
    with server:
        cache = new_cache(server, CacheLimits(retry_after=0.3))
        put_john(cache, MOBILE)
        server.stop()
        with pytest.raises(CacheUnavailableError, match="ConnectionError"):
            cache.read([MOBILE])
        with pytest.raises(CacheUnavailableError, match="left alone"):
            cache.read([MOBILE])
        server.start()
        time.sleep(0.35)
        assert cache.read([MOBILE])[0].candidates is None


def test_a_cache_that_hangs_costs_its_timeout_once(cache_server: CacheServer) -> None:
    with CacheServer(server=cache_server.server, cluster=False) as server:
        cache = new_cache(server, DEFAULT_LIMITS)
        put_john(cache, MOBILE)
        server.pause()
        try:
            with pytest.raises(CacheUnavailableError, match="TimeoutError"):
                cache.read([MOBILE])
            with pytest.raises(CacheUnavailableError, match="left alone"):
                cache.read([MOBILE])
        finally:
            server.resume()


def test_environments_do_not_see_each_other(cache_server: CacheServer) -> None:
    put_john(new_cache(cache_server), MOBILE)
    assert new_cache(cache_server).read([MOBILE])[0].candidates is None


def test_the_connection_survives_being_closed_by_the_server(cache: Cache, cache_server: CacheServer) -> None:
    put_john(cache, MOBILE)
    with cache_server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert known(cache, MOBILE) == JOHN


def test_a_wrong_address_is_unavailable_not_an_exception_of_the_library() -> None:
    cache = Cache("redis://127.0.0.1:9", environment="dev", hash_key=b"k")
    assert not cache.warm_up()


@pytest.mark.parametrize(
    "other",
    [
        lambda entry: entry[:-1] + ',"language":"en"}',
        lambda entry: entry.replace('"count"', '"counted"'),
        lambda entry: entry[: entry.index("{")] + "<html>503</html>",
        lambda entry: entry.split(":", 1)[1],
        lambda entry: "3;" + entry,
        lambda entry: "",
    ],
    ids=["a field too many", "a field too few", "no JSON", "the format before", "another format", "nothing"],
)
def test_an_entry_that_this_release_cannot_read_is_a_miss_and_mended_by_the_next_fill(
    cache: Cache, cache_server: CacheServer, other: Callable[[str], str]
) -> None:
    put_john(cache, MOBILE)
    key = cache.identifier_key(MOBILE)
    with cache_server.client() as client:
        client.set(key, other(client.get(key)), px=60_000)
    assert cache.read([MOBILE])[0].candidates is None
    put_john(cache, MOBILE)
    assert known(cache, MOBILE) == JOHN


def test_a_chain_is_as_old_as_its_oldest_link(cache_server: CacheServer) -> None:
    cache = new_cache(cache_server, CacheLimits(fresh=0.2))
    cache.put({OFFICE: (1, Candidates(("c-old",), 1))}, [Contact("c-old", merged_into="c-john", generation=2)])
    time.sleep(0.25)
    cache.put({}, [JOHN])
    by_number, by_id = *cache.read([OFFICE]), *cache.read([], ["c-old"])
    assert by_id.contact
    assert not by_id.contact.fresh
    assert by_number.contact
    assert not by_number.contact.fresh


def test_after_a_failover_the_demoted_server_is_left(cache_server: CacheServer) -> None:
    with (
        CacheServer(server=cache_server.server, cluster=False) as old,
        CacheServer(server=cache_server.server, cluster=False) as new,
    ):
        cache = new_cache(old, CacheLimits(retry_after=0.05))
        put_john(cache, MOBILE)
        with old.client() as client:
            connections = client.info("stats")["total_connections_received"]
            client.execute_command("REPLICAOF", "127.0.0.1", str(new.port))
            with pytest.raises(CacheUnavailableError):
                put_john(cache, MOBILE)
            time.sleep(0.1)
            with pytest.raises(CacheUnavailableError):
                put_john(cache, MOBILE)
            assert client.info("stats")["total_connections_received"] > connections


def test_the_release_before_is_told_what_has_become_old(cache: Cache, cache_server: CacheServer) -> None:
    former = cache.identifier_key(MOBILE).replace("}i2:", "}i:")
    with cache_server.client() as client:
        client.set(former, "1:9999999999999:c-john:{}")
        cache.invalidate(identifiers={MOBILE: 2}, contacts={})
        assert client.get(former) == "2:0::"
        cache.forget([MOBILE])
        assert client.get(former) is None
