"""Rules 10 and 13: keys, nulls in them, and keys across types."""

from typing import Any

from conformance.case import NO_HISTORY, PRICES, Case, Group, Labels, Look, Refusal, day, labels, load, matched

TEXT = Group(columns={"k": "String", "at": "Timestamp", "price": "Integral"})
PAIRS = Group(columns={"k": "Integral", "shop": "String", "at": "Timestamp", "price": "Integral"}, entity=("k", "shop"))
LARGEST, SMALLEST = 2**63 - 1, -(2**63)


def keyed(form: str, *keys: Any) -> Labels:
    """Label the second day for keys of a form."""
    return labels(*((key, day(2)) for key in keys), columns={"k": form, "t": "utc"})


def paired(*keys: tuple[Any, Any]) -> Labels:
    """Label the second day for keys of two parts."""
    return labels(*((*key, day(2)) for key in keys), columns={"k": "int64", "shop": "string", "t": "utc"})


KEYS = (
    Case(
        name="a null key matches nothing",
        rule="rule 10",
        group=PRICES,
        steps=(load((1, day(1), 10), (0, day(1), 20)),),
        labels=keyed("int64", None, 1, None),
        expected=(NO_HISTORY, matched(10), NO_HISTORY),
    ),
    Case(
        name="a null text key matches nothing, not even empty text",
        rule="rule 10",
        group=TEXT,
        steps=(load(("", day(1), 10), ("null", day(1), 20), ("None", day(1), 30)),),
        labels=keyed("string", None, ""),
        expected=(NO_HISTORY, matched(10)),
    ),
    Case(
        name="a null in either part of a key matches nothing",
        rule="rule 10",
        group=PAIRS,
        steps=(load((1, "", day(1), 10), (0, "a", day(1), 20)),),
        labels=paired((1, None), (None, "a"), (None, None), (1, "")),
        expected=(NO_HISTORY, NO_HISTORY, NO_HISTORY, matched(10)),
    ),
    Case(
        name="a key of two parts needs both",
        rule="rule 13",
        group=PAIRS,
        steps=(load((1, "a", day(1), 10), (1, "b", day(1), 20), (2, "a", day(1), 30)),),
        labels=paired((1, "a"), (1, "b"), (2, "a"), (2, "b"), (3, "a"), (1, "c")),
        expected=(matched(10), matched(20), matched(30), NO_HISTORY, NO_HISTORY, NO_HISTORY),
    ),
    Case(
        name="the parts of a key do not run into each other",
        rule="rule 13",
        group=Group(columns={"k": "String", "shop": "String", "at": "Timestamp", "price": "Integral"}, entity=("k", "shop")),
        steps=(load(("a", "bc", day(1), 10), ("ab", "c", day(1), 20), ("", "abc", day(1), 30)),),
        labels=labels(
            ("ab", "c", day(2)), ("a", "bc", day(2)), ("", "abc", day(2)), ("abc", "", day(2)), columns={"k": "string", "shop": "string", "t": "utc"}
        ),
        expected=(matched(20), matched(10), matched(30), NO_HISTORY),
    ),
    Case(
        name="label columns are taken in the entity's order, whatever their names",
        rule="rule 13",
        group=Group(columns={"a": "Integral", "b": "Integral", "at": "Timestamp", "price": "Integral"}, entity=("a", "b")),
        steps=(load((1, 2, day(1), 10), (2, 1, day(1), 20)),),
        labels=labels((1, 2, day(2)), columns={"b": "int64", "a": "int64", "t": "utc"}),
        lookups=(Look(prefix="by_name_"), Look(on=("b", "a"), prefix="by_order_")),
        expected=((matched(20), matched(10)),),
    ),
    Case(
        name="text is compared as it is",
        rule="rule 13",
        group=TEXT,
        steps=(load(("a", day(1), 10), ("A", day(1), 20), (" a", day(1), 30), ("a ", day(1), 40), ("a\0", day(1), 50)),),
        labels=keyed("string", "a", "A", " a", "a ", "a\0", "a  ", "aa"),
        expected=(matched(10), matched(20), matched(30), matched(40), matched(50), NO_HISTORY, NO_HISTORY),
    ),
    Case(
        name="text is not normalised",
        rule="rule 13",
        group=TEXT,
        steps=(load(("caf\u00e9", day(1), 10), ("cafe\u0301", day(1), 20), ("\U0001f333", day(1), 30), ("\uff5a", day(1), 40)),),
        labels=keyed("string", "cafe\u0301", "caf\u00e9", "\U0001f333", "\uff5a", "z"),
        expected=(matched(20), matched(10), matched(30), matched(40), NO_HISTORY),
    ),
    Case(
        name="text that looks like numbers is text",
        rule="rule 13",
        group=TEXT,
        steps=(load(("1", day(1), 10), ("01", day(1), 20), ("1.0", day(1), 30)),),
        labels=keyed("string", "01", "1", "1.0", "1.00"),
        expected=(matched(20), matched(10), matched(30), NO_HISTORY),
    ),
    Case(
        name="categories are compared by their text",
        rule="rule 13",
        group=TEXT,
        steps=(load(("a", day(1), 10), ("b", day(1), 20)),),
        labels=keyed("category", "b", "a", None, "c"),
        expected=(matched(20), matched(10), NO_HISTORY, NO_HISTORY),
    ),
    Case(
        name="large text is text",
        rule="rule 13",
        group=TEXT,
        steps=(load(("a", day(1), 10), ("b", day(1), 20)),),
        labels=keyed("large_string", "b", "a"),
        expected=(matched(20), matched(10)),
    ),
    Case(
        name="narrow integers are integers",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10), (-1, day(1), 20)),),
        labels=keyed("int8", -1, 1, None, 127),
        expected=(matched(20), matched(10), NO_HISTORY, NO_HISTORY),
    ),
    Case(
        name="unsigned integers are integers",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10), (-1, day(1), 20)),),
        labels=keyed("uint8", 255, 1),
        expected=(NO_HISTORY, matched(10)),
    ),
    Case(
        name="integers are compared to the last digit",
        rule="rule 13",
        group=PRICES,
        steps=(load((2**53, day(1), 10), (2**53 + 1, day(1), 20), (LARGEST, day(1), 30), (SMALLEST, day(1), 40), (0, day(1), 50)),),
        labels=keyed("int64", 2**53 + 1, 2**53, LARGEST, LARGEST - 1, SMALLEST, SMALLEST + 1, 0),
        expected=(matched(20), matched(10), matched(30), NO_HISTORY, matched(40), NO_HISTORY, matched(50)),
    ),
    Case(
        name="whole floats are integers, and NaN among them is null",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10), (0, day(1), 20), (2**53 - 1, day(1), 30)),),
        labels=keyed("float64", 1.0, float("nan"), -0.0, None, float(2**53 - 1), 4.0),
        expected=(matched(10), NO_HISTORY, matched(20), NO_HISTORY, matched(30), NO_HISTORY),
    ),
    Case(
        name="a fractional float is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=keyed("float64", 1.0, 1.5),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="a float of 2 to the power of 53 is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((2**53, day(1), 10)),),
        labels=keyed("float64", float(2**53)),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="a large negative float is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=keyed("float64", -float(2**53)),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="an infinite float is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=keyed("float64", 1.0, float("inf")),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="text is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=keyed("string", "1"),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="integers are refused as a text key",
        rule="rule 13",
        group=TEXT,
        steps=(load(("1", day(1), 10)),),
        labels=keyed("int64", 1),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="a boolean is refused as an integer key",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=keyed("bool", True),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="the wrong kind of key is refused though the group is empty",
        rule="rule 13",
        group=PRICES,
        steps=(),
        labels=keyed("string", "1"),
        refused=Refusal("KeyTypeError", "k"),
    ),
    Case(
        name="booleans may be keys",
        rule="rule 13",
        group=Group(columns={"k": "Boolean", "at": "Timestamp", "price": "Integral"}),
        steps=(load((True, day(1), 10), (False, day(1), 20)),),
        labels=keyed("bool", False, True, None),
        expected=(matched(20), matched(10), NO_HISTORY),
    ),
    Case(
        name="times may be keys",
        rule="rule 13",
        group=Group(columns={"k": "Timestamp", "at": "Timestamp", "price": "Integral"}),
        steps=(load((day(8), day(1), 10), (-1, day(1), 20)),),
        labels=keyed("utc", -1, day(8), day(9), None),
        expected=(matched(20), matched(10), NO_HISTORY, NO_HISTORY),
    ),
    Case(
        name="fractional identifiers are refused",
        rule="rule 13",
        group=Group(columns={"k": "Fractional", "at": "Timestamp", "price": "Integral"}),
        steps=(),
        labels=keyed("float64", 1.5),
        refused=Refusal("InvalidDefinitionError", "k"),
    ),
    Case(
        name="labels without the key's column are refused",
        rule="rule 13",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=labels((1, day(2)), columns={"kk": "int64", "t": "utc"}),
        refused=Refusal("FeatureNotFoundError", "k"),
    ),
    Case(
        name="a label without a time is refused, with the count and the first rows",
        rule="rule 10",
        group=PRICES,
        steps=(load((1, day(1), 10)),),
        labels=labels((1, day(2)), (1, None), (2, day(2)), (2, None)),
        refused=Refusal("LabelsError", "2"),
    ),
)
