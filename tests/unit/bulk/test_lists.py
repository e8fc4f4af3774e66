"""Lists are read as they are, and refused whole where anything in them is wrong."""

import pytest

from loyalty.bulk.errors import ListInvalid
from loyalty.bulk.lists import Checked, check, read_batch
from loyalty.bulk.model import BATCH, Line
from loyalty.rewards.pricing import Price
from tests.reconkit.campaigns import listing, member, one_each

ONE, TWO = member(1), member(2)


def checked(content: bytes, *, part: int = 7, most_each: int = 5) -> Checked:
    parts = (content[at : at + part] for at in range(0, len(content), part))
    return check(parts, most_each=most_each, price=lambda line: Price(10 * line.quantity, value=line.amount))


def lines(content: bytes, found: Checked) -> list[Line]:
    return [
        line
        for batch in found.batches
        for line in read_batch([content[batch.start : batch.end]], found.columns, batch.first_line)
    ]


@pytest.mark.parametrize("heading", ["quantity,reference,member_id", "\ufeffquantity,reference,member_id\r"])
def test_columns_come_in_any_order_and_lines_end_in_either_way(heading: str) -> None:
    content = f"{heading}\n2,A-1,{ONE}\r\n1,A-2,{TWO}".encode()
    found = checked(content)
    assert (found.lines, found.units, found.points, found.value) == (2, 3, 30, None)
    assert lines(content, found) == [Line(2, ONE, "A-1", 2), Line(3, TWO, "A-2", 1)]


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH])
@pytest.mark.parametrize("part", [1, 1000, 1 << 20])
def test_batches_are_ranges_that_have_every_line_once(count: int, part: int) -> None:
    content = one_each(range(count))
    found = checked(content, part=part)
    assert len(found.batches) == -(-count // BATCH)
    assert lines(content, found) == [Line(at + 2, member(at), f"R-{at}") for at in range(count)]


BAD = [
    ("", "there is nothing"),
    ("member_id,reference\n", "line 1: there is nothing behind it"),
    ("member_id,amount,reference\n", "name a column currency"),
    ("member_id,currency,reference\n", "currency is that of a column amount"),
    (f"member_id,reference,amount,currency\n{ONE},A,5.001,USD\n", "line 2: USD has 2 decimals"),
    (f"member_id,reference,amount,currency\n{ONE},A,1e3,USD\n", "line 2: amount is a number"),
    (f"member_id,reference,amount,currency\n{ONE},A,-5,USD\n", "line 2: amount is a number"),
    (f"member_id,reference,amount,currency\n{ONE},A,5,QQQ\n", "line 2: 'QQQ' is not"),
    (f"member_id,reference,amount,currency\n{ONE},A,5,USD\n{TWO},B,5,EUR\n", "line 3: it is in EUR, and the lines"),
    ("member_id\n", "name the columns"),
    ("member_id,reference,reference\n", "name the columns"),
    (f"member_id,reference\n{ONE}\n", "line 2: it has 1 fields, and the heading 2"),
    (f"member_id,reference\n{ONE},\n", "line 2: reference is 1 to 64"),
    ("member_id,reference\nmbr_x,A\n", "line 2: member_id is a member's id"),
    (f'member_id,reference\n{ONE},"A"\n', "line 2: reference is"),
    (f"member_id,reference\n{ONE},A\n\n{TWO},B\n", "line 3: it has 1 fields"),
    (f"member_id,reference\n{ONE},A\n{TWO},B\n{TWO},A\n", "line 4: reference is that of line 2"),
    (f"member_id,reference,quantity\n{ONE},A,0\n", "line 2: quantity is a whole number from 1"),
    (f"member_id,reference,quantity\n{ONE},A,1.5\n", "line 2: quantity is a whole"),
    (f"member_id,reference,quantity\n{ONE},A,6\n", "line 2: quantity is at most 5"),
    (f"member_id,reference\n{ONE},{'A' * 2000}\n", "line 2: it is longer than"),
    ("member_id,reference\n" + "A" * 5000, "line 2: it is longer than"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
@pytest.mark.parametrize("part", [3, 100_000])
def test_what_is_wrong_is_said_with_its_line(text: str, said: str, part: int) -> None:
    with pytest.raises(ListInvalid, match=r"line [1-4]:") as refused:
        checked(text.encode(), part=part)
    assert said in refused.value.detail


def test_twenty_problems_are_told_and_bytes_that_are_no_text_are_one() -> None:
    content = listing(["?"] * 30) + b"\xff\xfe,\n"
    with pytest.raises(ListInvalid) as refused:
        checked(content)
    assert refused.value.detail.count("line ") == 20
    with pytest.raises(ListInvalid, match="line 2: reference"):
        checked(listing([]) + f"{ONE},".encode() + b"\xff\n")
