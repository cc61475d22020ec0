"""Accounts, banks and creditors as SEPA writes them, checked by their own digits.

Sources: ISO 13616 (IBAN) and SWIFT's registry of its lengths, ISO 9362 (BIC), the European Payments
Council's EPC262-08 (creditor identifiers), ISO 7064 (check digits, MOD 97-10).
"""

import re

IBAN_CHARS = {
    "AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22,
    "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21,
    "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
    "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
    "RS": 22, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""The countries of SEPA's schemes, with the length of their IBANs."""
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_CREDITOR_ID = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")


def parse_iban(text: str) -> str:
    """The account without blanks; ValueError where it is none of SEPA."""
    iban = _compact(text)
    if not _IBAN.fullmatch(iban) or IBAN_CHARS.get(iban[:2]) != len(iban):
        raise ValueError("must be an IBAN of a country of SEPA, in its length")
    if _remainder(iban[4:] + iban[:4]) != 1:
        raise ValueError("must be an IBAN: its check digits do not fit")
    return iban


def parse_bic(text: str) -> str:
    """The bank; ValueError where nothing is called so."""
    bic = _compact(text)
    if not _BIC.fullmatch(bic):
        raise ValueError("must be a BIC of 8 or 11 characters")
    return bic


def parse_creditor_id(text: str) -> str:
    """A creditor's identifier; ValueError where it is none. Its business code, the fifth to the
    seventh character, is the creditor's to choose, and does not count for the check digits."""
    creditor_id = _compact(text)
    is_written_so = _CREDITOR_ID.fullmatch(creditor_id)
    if not is_written_so or _remainder(creditor_id[7:] + creditor_id[:4]) != 1:
        raise ValueError("must be a creditor identifier with its check digits")
    return creditor_id


def _compact(text: str) -> str:
    return "".join(text.split()).upper()


def _remainder(text: str) -> int:
    """By MOD 97-10: letters are 10 to 35."""
    return int("".join(str(int(char, 36)) for char in text)) % 97
