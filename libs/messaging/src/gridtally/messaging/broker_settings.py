"""What the environment says of the broker, where it is and how to reach it, and reading that."""

from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gridtally.messaging.broker_access import BrokerAccess, Mechanism, Protocol

S = TypeVar("S", bound=BaseSettings)


class BrokerSettings(BaseSettings):
    """A field `kafka_username` is the variable `KAFKA_USERNAME`; an empty variable is none."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_bootstrap_servers: str = Field(min_length=1)
    kafka_security_protocol: Protocol = "PLAINTEXT"
    """Whether the broker is reached by TLS (`SSL`), by user and password (`SASL_…`), or both."""
    kafka_sasl_mechanism: Mechanism = "PLAIN"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_token_url: str | None = None
    """Where `OAUTHBEARER` asks for tokens, as the client `kafka_username` with the secret
    `kafka_password`."""
    kafka_token_scope: str | None = None
    kafka_ca_file: Path | None = None
    """PEM of the authorities that sign brokers' certificates; the system's without it."""
    kafka_certificate_file: Path | None = None
    """PEM of our own certificate, where the broker wants one, with `kafka_key_file`."""
    kafka_key_file: Path | None = None

    @model_validator(mode="after")
    def _reaches_the_broker(self) -> Self:
        _ = self.broker_access  # which says what does not go together
        return self

    @property
    def broker_access(self) -> BrokerAccess:
        """How this process reaches the broker; ValueError for what does not go together."""
        certificate, key = self.kafka_certificate_file, self.kafka_key_file
        password = self.kafka_password
        if (certificate is None) != (key is None):
            raise ValueError("KAFKA_CERTIFICATE_FILE and KAFKA_KEY_FILE go together")
        return BrokerAccess(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=self.kafka_ca_file,
            certificate=None if certificate is None or key is None else (certificate, key),
            token_url=self.kafka_token_url,
            token_scope=self.kafka_token_scope,
        )


class InvalidSettings(Exception):
    """The environment cannot be used; `lines` describe each fault, without any value."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def load(read: Callable[[], S]) -> S:
    """The settings that `read`, such as their class, finds in this process's environment;
    InvalidSettings where they are wrong."""
    try:
        return read()
    except ValidationError as invalid:
        raise InvalidSettings(
            [
                f"{'.'.join(map(str, fault['loc'])).upper() or 'KAFKA_…'}: {fault['msg']}"
                for fault in invalid.errors(include_input=False, include_url=False)
            ]
        ) from None
