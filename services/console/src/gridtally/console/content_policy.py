"""What a page of ours may load and run: what this console serves, and nothing else."""

from collections.abc import Sequence


def content_policy(script_hashes: Sequence[str] = ()) -> str:
    """The header's value; scripts within a page run where their SHA-256 (base64) is named."""
    scripts = " ".join(["'self'", *(f"'sha256-{own}'" for own in script_hashes)])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )
