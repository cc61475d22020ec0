"""Certificates are taken, renewed, or refused with what is wrong; servers speak TLS with them."""

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from certificates import Authority
from gridtally.service import connections, handshakes
from gridtally.service.https import HttpsSettings, PeerSettings, ServerCertificate, trusted
from gridtally.service.server import Server
from gridtally.service.settings import InvalidSettings, load

CERTIFICATE, KEY = "HTTPS_CERTIFICATE_FILE", "HTTPS_KEY_FILE"


class Both(HttpsSettings, PeerSettings):
    pass


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def files(tmp_path, authority):
    """A certificate and its key, as files."""
    return written(tmp_path, authority.server())


def written(folder, own):
    pair = folder / "server.pem", folder / "server.key"
    for file, pem in zip(pair, (own.certificate, own.key), strict=True):
        renewed = file.with_suffix(".new")
        renewed.write_bytes(pem)
        renewed.replace(file)
    return pair


@pytest.fixture
def believed(tmp_path, authority):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    return trusted(ca)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({KEY: ""}, "HTTPS_KEY_FILE: Value error, HTTPS_CERTIFICATE_FILE and HTTPS_KEY_FILE go"),
        ({CERTIFICATE: ""}, "HTTPS_KEY_FILE: Value error, HTTPS_CERTIFICATE_FILE and HTTPS_KEY"),
        ({KEY: "/nowhere"}, "HTTPS_KEY_FILE: Path does not point to a file"),
        ({KEY: "{certificate}"}, "no certificate in PEM with its key"),
        ({CERTIFICATE: "{key}"}, "no certificate in PEM with its key"),
        ({"SERVICES_CA_FILE": "{key}"}, "has no certificates in PEM"),
    ],
)
def test_what_cannot_be_used_is_refused_at_the_start(monkeypatch, files, changed, said):
    certificate, key = map(str, files)
    for name, value in ({CERTIFICATE: certificate, KEY: key} | changed).items():
        monkeypatch.setenv(name, value.format(certificate=certificate, key=key))
    with pytest.raises(InvalidSettings, match=r"HTTPS|SERVICES") as refused:
        load(Both)
    assert any(said in line for line in refused.value.lines)


def test_without_files_a_process_speaks_http_and_believes_whom_all_believe(monkeypatch):
    for name in (CERTIFICATE, KEY, "SERVICES_CA_FILE"):
        monkeypatch.setenv(name, "")
    assert (load(Both).certificate, load(Both).services_trusted) == (None, True)


@pytest.fixture
async def https(files, tmp_path):
    """A server with a certificate: where it listens, and that certificate."""
    certificate = ServerCertificate(*files)
    async with serving(tmp_path / "socket", certificate):
        yield str(tmp_path / "socket"), certificate


@asynccontextmanager
async def serving(path, certificate):
    app, stop = FastAPI(), asyncio.Event()

    @app.get("/")
    async def show():
        return "here"

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        server = Server(app, stop=stop, grace_s=5, certificate=certificate)
        task = asyncio.create_task(server.serve([listening]))
        while not (server.started or task.done()):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        yield
        stop.set()
        await task


async def asked(path, context, scheme="https"):
    way = httpx.AsyncHTTPTransport(uds=path, verify=context)
    async with httpx.AsyncClient(transport=way) as client:
        return (await client.get(f"{scheme}://127.0.0.1/")).json()


async def test_only_https_is_spoken(https, believed):
    path, certificate = https
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert await asked(path, believed) == "here"
    with pytest.raises(httpx.HTTPError):
        await asked(path, believed, "http")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        await asked(path, ssl.create_default_context())


async def test_a_renewed_certificate_is_shown_and_half_a_pair_is_not(
    https, believed, tmp_path, authority, capsys
):
    path, certificate = https
    before = await shown(path, believed)
    certificate.renew()
    assert await shown(path, believed) == before
    fresh = authority.server()
    (tmp_path / "server.pem").write_bytes(fresh.certificate)  # whose key is not there yet
    certificate.renew()
    assert await shown(path, believed) == before
    assert "certificate refused" in capsys.readouterr().out
    written(tmp_path, fresh)
    certificate.renew()
    after = await shown(path, believed)
    assert after == ssl.PEM_cert_to_DER_cert(fresh.certificate.decode()) != before


async def shown(path, context):
    _, writer = await asyncio.open_unix_connection(path, ssl=context, server_hostname="127.0.0.1")
    own = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return own


async def test_who_never_shakes_hands_is_cut_off(files, tmp_path, monkeypatch):
    monkeypatch.setattr(handshakes, "LIMIT_S", 0.2)
    async with serving(tmp_path / "socket", ServerCertificate(*files)):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        async with asyncio.timeout(30):  # half of what uvicorn leaves
            assert await reader.read() == b""
        writer.close()


async def test_of_those_that_are_silent_few_are_kept_and_others_are_served(
    https, believed, monkeypatch
):
    monkeypatch.setattr(connections, "OF_ADDRESS_MAX", 5)
    path, _ = https
    silent = [await asyncio.open_unix_connection(path) for _ in range(8)]
    assert await asked(path, believed) == "here"
    async with asyncio.timeout(5):  # and not the time that a handshake has
        ended = [await reader.read() for reader, _ in silent[:3]]
    assert ended == [b""] * 3
    # two more made room for the one that is served, which counts twice for a moment
    assert not any(reader.at_eof() for reader, _ in silent[5:])
    for _, writer in silent:
        writer.close()


async def test_a_server_that_ends_waits_for_no_handshake(files, tmp_path):
    async with serving(tmp_path / "socket", ServerCertificate(*files)):
        _, writer = await asyncio.open_unix_connection(tmp_path / "socket")
        await asyncio.sleep(0.05)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < handshakes.LIMIT_S / 2
    writer.close()
