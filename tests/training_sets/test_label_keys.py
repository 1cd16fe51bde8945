from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from treering.training_sets.label_keys import numbered_groups, quoted, texts, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (Decimal("5.00"), "5"),
        (2**63 - 1, "9223372036854775807"),
        (True, "true"),
        ("5", "5"),
        (date(2013, 1, 2), "2013-01-02"),
        (datetime(2013, 1, 2, 3, tzinfo=UTC), "2013-01-02T03:00:00.000000Z"),
        (float("nan"), None),
        (None, None),
    ],
)
def test_a_value_has_one_text_whatever_its_type(value: Any, text: str | None) -> None:
    assert texts(pa.array([value]), "id").to_pylist() == [text]


@pytest.mark.parametrize("value", [5, 5.0, 0.1, True, False, "N1"])
def test_a_value_alone_is_written_as_in_a_column(value: Any) -> None:
    assert [value_text(value)] == texts(pa.array([value]), "id").to_pylist()


def test_rows_are_one_group_only_where_all_columns_agree() -> None:
    table = pa.table({"carrier": ["UA", "AA", "UA", "UA", None], "flight": [1, 1, 1, 2, 1]})
    groups = numbered_groups(table, ["carrier", "flight"]).tolist()
    assert (groups[0] == groups[2], len({*groups[:4]}), groups[4]) == (True, 3, -1)


def test_many_wide_columns_do_not_overflow() -> None:
    table = pa.table({f"c{n}": list(range(1_000)) for n in range(20)})
    assert sorted(numbered_groups(table, table.column_names).tolist()) == list(range(1_000))


def test_a_message_shows_a_few_values() -> None:
    assert quoted(list(range(8))) == "0, 1, 2, 3, 4, and 3 more"
