import hashlib
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import keys

KNOWN = "hr_000000000000000000000000000000" + keys.checksum("hr_000000000000000000000000000000")


def test_a_key_is_a_prefix_thirty_random_characters_and_six_of_checksum() -> None:
    key = keys.generate()
    assert re.fullmatch(r"hr_[0-9A-Za-z]{36}", key)
    assert re.fullmatch(keys.KEY_PATTERN, key)
    assert keys.is_well_formed(key)


def test_the_checksum_is_the_crc_32_in_base62() -> None:
    body = "hr_" + "0" * 30
    number = 0
    for digit in keys.checksum(body):
        number = number * 62 + keys.ALPHABET.index(digit)
    assert number == zlib.crc32(body.encode())


def test_no_two_keys_are_the_same() -> None:
    assert len({keys.generate() for _ in range(1000)}) == 1000


@given(st.integers(min_value=3, max_value=38), st.sampled_from(keys.ALPHABET))
def test_any_single_typo_is_noticed(position: int, character: str) -> None:
    typo = KNOWN[:position] + character + KNOWN[position + 1 :]
    assert keys.is_well_formed(typo) is (typo == KNOWN)


@given(st.integers(min_value=3, max_value=37))
def test_two_characters_in_the_wrong_order_are_noticed(position: int) -> None:
    key = keys.generate()
    swapped = key[:position] + key[position + 1] + key[position] + key[position + 2 :]
    assert keys.is_well_formed(swapped) is (swapped == key)


@pytest.mark.parametrize(
    "key", ["", "hr_", KNOWN[:-1], KNOWN + "0", KNOWN.upper(), "sk" + KNOWN[2:], KNOWN + "\n", f" {KNOWN}"]
)
def test_what_has_another_shape_is_not_well_formed(key: str) -> None:
    assert not keys.is_well_formed(key)


@given(st.text())
def test_no_text_at_all_is_an_error(text: str) -> None:
    assert keys.is_well_formed(text) in (True, False)
    assert len(keys.hash_key(text)) == 32


def test_only_the_sha_256_is_kept_and_the_last_four_characters() -> None:
    assert keys.hash_key(KNOWN) == hashlib.sha256(KNOWN.encode()).digest()
    assert keys.hint(KNOWN) == KNOWN[-4:]


def test_a_client_id_is_recognisable_and_no_key() -> None:
    client_id = keys.generate_client_id()
    assert re.fullmatch(keys.CLIENT_ID_PATTERN, client_id)
    assert keys.is_client_id(client_id)
    assert not keys.is_well_formed(client_id)
    for other in ("", client_id + "0", client_id[:-1], client_id[:-1] + "\x00", KNOWN):
        assert not keys.is_client_id(other)
