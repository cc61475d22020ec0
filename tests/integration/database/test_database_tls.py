"""Connections over TLS, to a server whose certificate a CA of our own has signed."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import sqlalchemy as sa

from certificates import Authority
from gridtally.database import ALL_TENANTS, Database, snapshot
from gridtally.kernel.errors import Transient

pytestmark = pytest.mark.xdist_group("database_tls")


def give(folder, files):
    """Files that only the folder's owner, the server, may read."""
    owner = folder.stat()
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
        os.chown(folder / name, owner.st_uid, owner.st_gid)


@pytest.fixture
async def authority(postgres_admin_url, tmp_path):
    """Where the certificate is of the CA that signed the server's; nothing is encrypted before and
    after."""
    superuser = await asyncpg.connect(postgres_admin_url)
    trusted = Authority()
    own = trusted.server()
    folder = Path(await superuser.fetchval("SHOW data_directory"))
    files = {"tls.crt": own.certificate, "tls.key": own.key}
    give(folder, files)
    for setting, value in (
        ("ssl_cert_file", "tls.crt"), ("ssl_key_file", "tls.key"), ("ssl", "on"),
    ):  # fmt: skip
        await superuser.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
    await superuser.execute("SELECT pg_reload_conf()")
    (tmp_path / "ca.pem").write_bytes(trusted.certificate)
    yield tmp_path / "ca.pem"
    for setting in ("ssl", "ssl_cert_file", "ssl_key_file"):
        await superuser.execute(f"ALTER SYSTEM RESET {setting}")
    await superuser.execute("SELECT pg_reload_conf()")
    await superuser.close()
    for name in files:
        (folder / name).unlink()


async def is_encrypted(url):
    async with (
        await Database.connect(url, application="test") as database,
        snapshot(database, tenant=ALL_TENANTS) as read,
    ):
        return await read.scalar(
            sa.text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        )


async def test_the_mode_of_the_url_is_kept(authority, database_url):
    url = database_url()
    assert urlsplit(url).query == ""
    assert await is_encrypted(f"{url}?sslmode=require")
    assert await is_encrypted(f"{url}?sslmode=verify-full&sslrootcert={authority}")
    assert not await is_encrypted(f"{url}?sslmode=disable")


async def test_another_authority_is_not_believed(authority, database_url):
    authority.write_bytes(Authority().certificate)
    with pytest.raises(Transient, match="certificate"):
        await is_encrypted(f"{database_url()}?sslmode=verify-ca&sslrootcert={authority}")


async def test_a_server_without_tls_is_not_used_where_it_is_required(database_url):
    with pytest.raises(Transient, match="SSL"):
        await is_encrypted(f"{database_url()}?sslmode=require")
