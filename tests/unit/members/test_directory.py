from tests.apikit.members import Members


def test_the_platforms_customer_id_wins_over_the_email(members: Members) -> None:
    ada = members.enroll("ada@example.com", external_ids={"shopify": "1"})
    bob = members.enroll("bob@example.com")
    resolve = members.directory.resolve
    assert resolve("acme", external=("shopify", "1"), email="bob@example.com").member_id == ada["member_id"]
    assert resolve("acme", external=("shopify", "2"), email=" BOB@example.com").member_id == bob["member_id"]
    assert resolve("acme", external=("woo", "1")).member_id is None
    assert resolve("acme", email="ada@example.com").member_id == ada["member_id"]
    assert resolve("other", email="ada@example.com").member_id is None


def test_a_miss_gives_the_hashes_that_a_later_member_will_have(members: Members) -> None:
    match = members.directory.resolve("acme", external=("shopify", "1"), email="Ada@Example.com")
    assert match.member_id is None
    ada = members.enroll("ada@example.com", external_ids={"shopify": "1"})
    stored = members.store.get("acme", ada["member_id"])
    assert stored is not None
    assert stored.lookups == {"email": match.email_digest, "external:shopify": match.external_digest}


def test_what_is_no_address_is_as_good_as_none(members: Members) -> None:
    match = members.directory.resolve("acme", email="not an address")
    assert (match.member_id, match.email_digest) == (None, None)
    assert members.directory.resolve("acme").member_id is None
