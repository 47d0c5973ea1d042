"""The format of API keys and client ids: recognisable by scanners, and typos show without a look-up."""

import hashlib
import re
import secrets
import zlib
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX: Final = "hr_"
CLIENT_PREFIX: Final = "cl_"
KEY_PATTERN: Final = r"hr_[0-9A-Za-z]{36}"
"""The expression that secret scanners match; the last six characters are the checksum."""
CLIENT_ID_PATTERN: Final = r"cl_[0-9A-Za-z]{20}"

_RANDOM_LENGTH: Final = 30
_CHECKSUM_LENGTH: Final = 6
_CLIENT_LENGTH: Final = 20
_WELL_FORMED = re.compile(KEY_PATTERN, re.ASCII)
_CLIENT_ID = re.compile(CLIENT_ID_PATTERN, re.ASCII)


def generate() -> str:
    """Make a new key with 178 bits of randomness."""
    body = PREFIX + _random(_RANDOM_LENGTH)
    return body + checksum(body)


def generate_client_id() -> str:
    """Make the public identifier of a credential."""
    return CLIENT_PREFIX + _random(_CLIENT_LENGTH)


def is_well_formed(key: str) -> bool:
    """Tell whether the key has the right shape and its checksum is its own."""
    if _WELL_FORMED.fullmatch(key) is None:
        return False
    return checksum(key[:-_CHECKSUM_LENGTH]) == key[-_CHECKSUM_LENGTH:]


def is_client_id(text: str) -> bool:
    """Tell whether the text has the form of a Client ID."""
    return _CLIENT_ID.fullmatch(text) is not None


def checksum(body: str) -> str:
    """Return the CRC-32 of the key's body, prefix included, as six base62 digits."""
    number = zlib.crc32(body.encode("ascii"))
    digits = []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def hash_key(key: str) -> bytes:
    """Return what is stored of a key: its SHA-256.

    A key is random, so a slow password hash would add delay and no safety.
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def hint(key: str) -> str:
    """Return the last four characters, by which people tell their keys apart."""
    return key[-4:]


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
