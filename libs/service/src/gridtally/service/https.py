"""https by a process itself: its certificate, renewed while it runs, and whom it trusts.

Owns the settings of both. A process that is reached through a proxy with TLS needs none of them.
"""

import ssl
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import AfterValidator, Field, FilePath, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

CONFIG = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)
"""As of all settings: of several bases, the last one's counts."""

log = structlog.get_logger(__name__)


class ServerCertificate:
    """A certificate with its chain, and its key, in two files of PEM.

    Whoever renews them writes both and is done: connections from then on have the new one, those
    that there are go on as they began. ValueError where the files cannot be used.

    context  of handshakes that begin now
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.options |= ssl.OP_NO_RENEGOTIATION
        self._written = self._look()
        self._load()

    def renew(self) -> None:
        """Take what was written since. A pair that cannot be used is logged, and tried again the
        next time; the one before stays."""
        try:
            if self._look() == self._written:
                return
            renewed = ServerCertificate(*self._files)
        except (OSError, ValueError) as failure:
            log.warning("certificate refused", reason=str(failure))
            return
        self.context, self._written = renewed.context, renewed._written
        log.info("certificate renewed")

    def _look(self) -> tuple[tuple[int, int], ...]:
        states = [file.stat() for file in self._files]
        return tuple((state.st_ino, state.st_mtime_ns) for state in states)

    def _load(self) -> None:
        certificate, key = self._files
        try:
            self.context.load_cert_chain(certificate, key, password="")
        except (ssl.SSLError, OSError) as failure:
            what = f"{certificate} and {key} are no certificate in PEM with its key"
            raise ValueError(f"{what}: {failure.strerror or failure}") from failure


def _fits(key: Path | None, info: ValidationInfo) -> Path | None:
    certificate = info.data.get("https_certificate_file")
    if "https_certificate_file" in info.data and (certificate is None) != (key is None):
        raise ValueError("HTTPS_CERTIFICATE_FILE and HTTPS_KEY_FILE go together")
    if certificate is not None and key is not None:
        ServerCertificate(certificate, key)
    return key


class HttpsSettings(BaseSettings):
    """Whether a process speaks https on its `HTTP_PORT`; without these it speaks http."""

    model_config = CONFIG

    https_certificate_file: FilePath | None = None
    """PEM of the certificate and its chain. A new one is taken within a minute."""
    https_key_file: Annotated[FilePath | None, AfterValidator(_fits)] = Field(
        default=None, validate_default=True
    )
    """PEM of its key, without a password."""

    @property
    def certificate(self) -> ServerCertificate | None:
        """What it shows; None where it speaks http."""
        if self.https_certificate_file is None or self.https_key_file is None:
            return None
        return ServerCertificate(self.https_certificate_file, self.https_key_file)


def _has_authorities(file: Path) -> Path:
    trusted(file)
    return file


class PeerSettings(BaseSettings):
    """Whom a process trusts that asks our services."""

    model_config = CONFIG

    services_ca_file: Annotated[FilePath, AfterValidator(_has_authorities)] | None = None
    """PEM of the authorities that sign our services' certificates; the public ones without it."""

    @property
    def services_trusted(self) -> ssl.SSLContext | bool:
        """As httpx wants to know it for connections to our services."""
        return True if self.services_ca_file is None else trusted(self.services_ca_file)


def trusted(ca_file: Path) -> ssl.SSLContext:
    """What believes these authorities alone; ValueError where the file has none."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (ssl.SSLError, OSError) as failure:
        raise ValueError(f"{ca_file} has no certificates in PEM") from failure
