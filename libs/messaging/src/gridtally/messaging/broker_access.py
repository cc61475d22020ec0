"""How a client of the broker says who it is, and how it knows the broker.

Owns what aiokafka is told of TLS and SASL. `OPEN` is neither, as on the loopback of one machine.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gridtally.messaging.broker_tokens import client_credentials, require_private

Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """One identity of a process, for all of its clients; ValueError for what does not go together.

    protocol     whether there is TLS, and whether the client names itself by SASL
    mechanism    of SASL; PLAIN sends the password as it is, so TLS should be around it;
                 OAUTHBEARER shows a token, for which user and password are a client's id and secret
    token_url    where OAUTHBEARER's tokens are asked for, and for which scope
    ca_file      PEM of the authorities that the broker's certificate may be signed by; the
                 system's where there is none
    certificate  PEM of the client's own certificate, and of its key, where the broker wants one
    """

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate: tuple[Path, Path] | None = None
    token_url: str | None = None
    token_scope: str | None = None

    def __post_init__(self) -> None:
        if self.has_sasl and not (self.username and self.password):
            raise ValueError(f"{self.protocol} needs a user and a password")
        if not self.has_sasl and (self.username or self.password):
            raise ValueError(f"{self.protocol} takes no user and no password: it has no SASL")
        if (self.has_sasl and self.mechanism == "OAUTHBEARER") != (self.token_url is not None):
            raise ValueError("OAUTHBEARER, and nothing else, needs a URL for tokens")
        if self.token_url is not None:
            require_private(self.token_url)
        if not self.has_tls and (self.ca_file or self.certificate):
            raise ValueError(f"{self.protocol} has no TLS, so there is nothing to certify")
        for file in (self.ca_file, *(self.certificate or ())):
            if file is not None and not file.is_file():
                raise ValueError(f"{file} is no file")
        if self.has_tls:
            try:
                self._tls()
            except ssl.SSLError as failure:
                raise ValueError(f"the certificates cannot be used: {failure}") from failure

    @property
    def has_sasl(self) -> bool:
        """Whether the client says who it is by SASL."""
        return self.protocol.startswith("SASL")

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted, and the broker has shown its certificate."""
        return self.protocol.endswith("SSL")

    def options(self, bootstrap: str) -> dict[str, Any]:
        """The keyword arguments of an aiokafka client that is to reach these brokers."""
        options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "security_protocol": self.protocol,
        }
        if self.has_tls:
            options["ssl_context"] = self._tls()
        if self.has_sasl:
            options |= {"sasl_mechanism": self.mechanism} | self._identity()
        return options

    def _identity(self) -> dict[str, Any]:
        if self.token_url is None or self.username is None or self.password is None:
            return {
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        tokens = client_credentials(self.token_url, self.username, self.password, self.token_scope)
        return {"sasl_oauth_token_provider": tokens}

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            certificate, key = self.certificate
            context.load_cert_chain(certificate, key)
        return context


OPEN = BrokerAccess()
