"""URLs of databases: as libpq has them, and so as managed databases hand them out.

asyncpg reads them: TLS and its certificates, several hosts, which of them is wanted. Owns what may
stand in one, so that a slip of the pen is said at the start and a demand is never dropped unheard.
"""

import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode

_FORM = re.compile(
    r"(?P<scheme>postgres(?:ql)?)://(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<server>[^?]*)(?:\?(?P<query>.*))?"
)
"""All up to the first `@` is the password, whatever is in it: asyncpg would end one at a `/`, `?`
or `#`, and look for its server elsewhere."""
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
READ = frozenset(
    (
        "host", "port", "dbname", "database", "user", "password", "passfile", "options", "sslmode",
        *FILES, "sslpassword", "sslnegotiation", "ssl_min_protocol_version",
        "ssl_max_protocol_version", "target_session_attrs", "krbsrvname", "gsslib",
    )
)  # fmt: skip
"""Parameters that asyncpg and the server understand."""
LEFT_OUT = frozenset(
    (
        "application_name", "fallback_application_name", "client_encoding", "connect_timeout",
        "gssencmode", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count",
        "sslcompression", "sslsni", "tcp_user_timeout", "channel_binding",
    )
)  # fmt: skip
"""Parameters of libpq about what a process decides by itself."""


def checked_url(url: str) -> str:
    """The URL as asyncpg takes it; ValueError, without the password, for what is none, names a
    parameter that nobody reads or a file that is not there, or asks for what cannot be had."""
    parts = _FORM.fullmatch(url)
    if parts is None:
        raise ValueError("the database URL must begin with postgresql:// or postgres://")
    read = dict(parse_qsl(parts["query"] or "", keep_blank_values=True))
    if unknown := sorted(set(read) - READ - LEFT_OUT):
        raise ValueError(
            f"the database URL has parameters that are not known: {', '.join(unknown)}"
        )
    if read.get("channel_binding") == "require":
        raise ValueError(
            "channel binding cannot be had: leave channel_binding out, and have sslmode=verify-full"
        )
    if (mode := read.get("sslmode", MODES[0])) not in MODES:
        raise ValueError(f"sslmode is {mode!r}, and none of {', '.join(MODES)}")
    for name in FILES:
        if name in read and not Path(read[name]).is_file():
            raise ValueError(f"{name} names {read[name]!r}, which is no file")
    query = urlencode({name: value for name, value in read.items() if name in READ})
    names = [quote(unquote(part), safe="") for part in parts.group("user", "password") if part]
    base = f"{parts['scheme']}://{':'.join(names)}{'@' if names else ''}{parts['server']}"
    return f"{base}?{query}" if query else base
