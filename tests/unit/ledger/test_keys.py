import pytest

from loyalty.ledger.keys import entry_sk, parse_entry_id, parse_entry_sk, parse_partition, partition
from loyalty.ledger.model import EntryKey, EntryKind

SOURCE_IDS = ["R-1", "a:b", "a#b", "gid://shopify/Order/1", "ENTRY#accrual#pos#R-1", "accrual:pos:R-1", "ü ☕"]


@pytest.mark.parametrize("kind", list(EntryKind))
@pytest.mark.parametrize("source_id", SOURCE_IDS)
def test_keys_and_ids_give_the_identity_back(kind: EntryKind, source_id: str) -> None:
    key = EntryKey(kind, "pos", source_id)
    assert parse_entry_sk(entry_sk(key)) == key
    assert parse_entry_id(key.entry_id) == key


def test_identities_that_differ_have_keys_that_differ() -> None:
    keys = {entry_sk(EntryKey(kind, source, i)) for kind in EntryKind for source in ("pos", "po") for i in SOURCE_IDS}
    assert len(keys) == len(EntryKind) * 2 * len(SOURCE_IDS)


@pytest.mark.parametrize("source", ["a#b", "a:b", "", "#", ":"])
def test_a_source_that_would_make_two_identities_one_is_refused(source: str) -> None:
    """``a`` with ``b#c`` and ``a#b`` with ``c`` would be the same item of the table."""
    with pytest.raises(ValueError, match="source"):
        EntryKey(EntryKind.ACCRUAL, source, "c")


@pytest.mark.parametrize("source_id", ["", "x" * 257, "x" * 1000])
def test_a_source_id_has_a_bounded_length(source_id: str) -> None:
    assert EntryKey(EntryKind.ACCRUAL, "POS-X", "x" * 256).source_id == "x" * 256
    with pytest.raises(ValueError, match="source_id"):
        EntryKey(EntryKind.ACCRUAL, "pos", source_id)


def test_the_sort_key_is_a_contract_with_the_stream_s_filter() -> None:
    assert entry_sk(EntryKey(EntryKind.ACCRUAL, "pos", "R-1")) == "ENTRY#accrual#pos#R-1"
    assert EntryKey(EntryKind.ACCRUAL, "pos", "R-1").entry_id == "accrual:pos:R-1"


def test_a_partition_names_program_and_member() -> None:
    assert parse_partition(partition("acme", "mbr_1")) == ("acme", "mbr_1")


@pytest.mark.parametrize("text", ["", "accrual", "accrual:pos", "gift:pos:R-1", "accrual::R-1", "accrual:pos:"])
def test_a_text_that_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_entry_id(text)
