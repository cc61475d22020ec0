"""Who is let in, and what each key may do."""

import asyncio
from uuid import uuid4

import pytest

from gridtally.http import keys
from gridtally.http.keys import Keyring, StoredKey, sha256_hex

ORDER = f"/v1/orders/{uuid4()}"
SECRET = "s" * 43


async def test_a_key_speaks_for_its_tenant(client, headers):
    answer = await client.get(ORDER, headers=headers)
    assert answer.status_code == 200
    assert answer.json().startswith("north:")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer gt_abcdefgh_",
        f"Basic gt_abcdefgh_{SECRET}",
        f"Bearer gt_abcdefgh_{'t' * 43}",
        f"Bearer gt_abcdefgi_{SECRET}",
        f"Bearer gt_ABCDEFGH_{SECRET}",
        f"Bearer gt_abcdefgh_{SECRET}s",
        f"Bearer gt_abcdefgh_{SECRET[:-1]}",
        f"Bearer gt_abcdefgh_{SECRET} ",
        f"Bearer xx_abcdefgh_{SECRET}",
        "Bearer gt_abcdefgh_" + "s" * 100_000,
    ],
)
async def test_nobody_else_gets_in_or_learns_why(client, authorization):
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await client.get(ORDER, headers=headers)
    if authorization == f"Bearer gt_abcdefgh_{SECRET} ":
        assert answer.status_code == 200  # blanks around a header's value are not part of it
        return
    assert answer.status_code == 401
    assert answer.json()["detail"] == "a valid API key is needed"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_without_the_scope_is_refused(client, app):
    app.state.keyring.keys["zzzzzzzz"] = StoredKey(
        "north", "zzzzzzzz", sha256_hex(SECRET), frozenset({"shop:write"})
    )
    answer = await client.get(ORDER, headers={"authorization": f"Bearer gt_zzzzzzzz_{SECRET}"})
    assert answer.status_code == 403
    assert "shop:read" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/keys?tenant_id=north"])
@pytest.mark.parametrize("token", [None, "wrong", f"gt_abcdefgh_{SECRET}"])
async def test_keys_are_for_the_operator(client, path, token):
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    assert (await client.get(path, headers=headers)).status_code == 401


async def test_without_an_operator_token_nobody_makes_keys(client, app):
    app.state.operator_token_sha256 = None
    answer = await client.get("/v1/keys", headers={"authorization": "Bearer operator"})
    assert (answer.status_code, answer.json()["code"]) == (403, "operator_token_unset")


class KeyringOf(Keyring):
    """Reads its keys from a dict in place of the database."""

    def __init__(self, stored, **settings):
        super().__init__(None, **settings)
        self.stored, self.fetched, self.at_once, self.at_once_max = stored, [], 0, 0

    async def _fetch(self, key_id):
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        await asyncio.sleep(0)
        self.at_once -= 1
        self.fetched.append(key_id)
        return self.stored.get(key_id)


async def test_a_revoked_key_is_let_in_no_longer_than_keys_are_remembered():
    now_s, key = 100.0, StoredKey("north", "abcdefgh", sha256_hex(SECRET), frozenset())
    stored = {key.key_id: key}
    keyring = KeyringOf(stored, ttl_s=5, clock_s=lambda: now_s)
    assert await keyring.find(key.key_id) == key
    del stored[key.key_id]
    now_s = 104.9
    assert await keyring.find(key.key_id) == key
    now_s = 105.0
    assert await keyring.find(key.key_id) is None


async def test_guessed_ids_neither_fill_the_pool_nor_drive_out_keys(monkeypatch):
    monkeypatch.setattr(keys, "CACHED_MAX", 10)
    key = StoredKey("north", "abcdefgh", sha256_hex(SECRET), frozenset())
    keyring = KeyringOf({key.key_id: key}, ttl_s=5, clock_s=lambda: 100.0)
    assert await keyring.find(key.key_id) == key
    guesses = [f"guess{number:03}" for number in range(100)]
    answers = await asyncio.gather(*(keyring.find(guess) for guess in [*guesses, key.key_id]))
    assert answers == [None] * 100 + [key]
    assert keyring.at_once_max == keys.LOOK_UPS_MAX
    assert keyring.fetched == [key.key_id, *guesses]  # the key is read once only


async def test_who_asks_for_one_key_at_once_reads_it_once():
    key = StoredKey("north", "abcdefgh", sha256_hex(SECRET), frozenset())
    keyring = KeyringOf({key.key_id: key}, ttl_s=5, clock_s=lambda: 100.0)
    answers = await asyncio.gather(*(keyring.find(key.key_id) for _ in range(20)))
    assert answers == [key] * 20
    assert len(keyring.fetched) <= keys.LOOK_UPS_MAX
