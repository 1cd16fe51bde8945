import codecs
import hashlib
from pathlib import Path

import pytest

from support.sources import csv_source, everything, schema
from treering.errors import SchemaMismatchError, SourceError
from treering.settings import Settings
from treering.sources.batches import locate
from treering.sources.csv import Csv
from treering.sources.csv_blocks import MAXIMUM_BLOCK, Dialect, cut_blocks
from treering.sources.source import open_source

TYPES = schema(i="Integral", f="Fractional", s="String", b="Boolean")


def test_types_come_from_the_schema_and_are_never_guessed(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, "i,f,s,b\n007,1,007,1\n"), TYPES)
    assert read.rows == [{"i": 7, "f": 1.0, "s": "007", "b": True}]


def test_an_empty_field_is_null_and_a_quoted_one_is_an_empty_text(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i,f,s,b\n,,,\n1,1,"",1\n'), TYPES)
    assert [row["s"] for row in read.rows] == [None, ""]
    assert read.rows[0] == {"i": None, "f": None, "s": None, "b": None}


@pytest.mark.parametrize("word", ["NA", "null", "N/A", "nan"])
def test_words_that_mean_null_elsewhere_are_text(tmp_path: Path, word: str) -> None:
    assert everything(csv_source(tmp_path, f"s,i\n{word},1\n"), schema(s="String", i="Integral")).rows[0]["s"] == word


def test_null_values_can_be_named(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i,f,s,b\nNA,NA,NA,NA\n1,1,"NA",1\n', null_values=("NA",)), TYPES)
    assert read.rows[0] == {"i": None, "f": None, "s": None, "b": None}
    assert read.rows[1]["s"] == "NA"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e19", "integer overflow"),
        ("9223372036854775808", "integer overflow"),
        ("1.5", "not an Integral"),
        ("NA", "not an Integral"),
        ("nan", "not an Integral"),
        ('""', "not an Integral"),
        ("9007199254740992.0", "whole float beyond 2^53"),
        ("1e400000000", "integer overflow"),
        ("1_000", "not an Integral"),
        ("1_0.0", "not an Integral"),
        ("\uff11\uff12", "not an Integral"),
        ("\u0663", "not an Integral"),
        ("\xa01", "not an Integral"),
        ("0x1F", "not an Integral"),
        ("0X1f", "not an Integral"),
    ],
)
def test_text_that_is_no_integer_is_a_bad_row(tmp_path: Path, text: str, reason: str) -> None:
    read = everything(csv_source(tmp_path, f"i,s\n1,a\n{text},b\n3,c\n"), schema(i="Integral", s="String"))
    assert [row["s"] for row in read.rows] == ["a", "c"]
    assert [(bad.position, bad.reason, bad.column, bad.text) for bad in read.bad_rows] == [(3, reason, "i", text.strip('"'))]


@pytest.mark.parametrize("text", ["1_000", "\uff11", "\u0663", "\xa01", "0x1F", "0x1p3", "1f"])
def test_text_that_is_no_decimal_fraction_is_a_bad_row(tmp_path: Path, text: str) -> None:
    read = everything(csv_source(tmp_path, f"f,s\n1,a\n{text},b\n"), schema(f="Fractional", s="String"))
    assert read.reasons == [(3, "not a Fractional")]


def test_hexadecimal_text_beside_whole_numbers_is_text(tmp_path: Path) -> None:
    assert everything(csv_source(tmp_path, "i,s\n1,0x1F\n"), schema(i="Integral", s="String")).rows == [{"i": 1, "s": "0x1F"}]


@pytest.mark.parametrize(("text", "value"), [("1.0", 1), ("-5.", -5), ("1e3", 1000), (" 4 ", 4), ("+6", 6), ("-9223372036854775808", -(2**63))])
def test_whole_numbers_are_integers_however_they_are_written(tmp_path: Path, text: str, value: int) -> None:
    assert everything(csv_source(tmp_path, f"i,s\n{text},x\n"), schema(i="Integral", s="String")).rows[0]["i"] == value


@pytest.mark.parametrize(("text", "value"), [("inf", float("inf")), ("-Infinity", -float("inf")), (" 2.5 ", 2.5), ("1e999", float("inf")), (".5", 0.5)])
def test_fractions_are_read_the_same_beside_a_bad_row(tmp_path: Path, text: str, value: float) -> None:
    wanted = schema(f="Fractional", s="String")
    alone = everything(csv_source(tmp_path, f"f,s\n{text},x\n"), wanted)
    beside = everything(csv_source(tmp_path, f"f,s\n{text},x\nNA,y\n"), wanted)
    assert alone.rows[0]["f"] == beside.rows[0]["f"] == value
    assert beside.reasons == [(3, "not a Fractional")]


def test_nan_stays_nan(tmp_path: Path) -> None:
    value = everything(csv_source(tmp_path, "f,s\nNaN,x\n"), schema(f="Fractional", s="String")).rows[0]["f"]
    assert value != value


def test_words_for_true_and_false(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, "b,s\ntrue,\nFalse,\n1,\nyes,\n"), schema(b="Boolean", s="String"))
    assert [row["b"] for row in read.rows] == [True, False, True]
    assert read.reasons == [(5, "not a Boolean")]


def test_one_word_is_a_word_and_not_its_letters(tmp_path: Path) -> None:
    options = {"null_values": "NA", "true_values": "yes", "false_values": "no"}
    read = everything(csv_source(tmp_path, "s,b\nN,yes\nNA,no\nA,y\n", **options), schema(s="String", b="Boolean"))
    assert read.rows == [{"s": "N", "b": True}, {"s": None, "b": False}]
    assert read.reasons == [(4, "not a Boolean")]


def test_no_words_at_all_may_stand_for_true(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, "b,s\nfalse,x\ntrue,y\n", true_values=()), schema(b="Boolean", s="String"))
    assert read.reasons == [(3, "not a Boolean")]


@pytest.mark.parametrize("words", [None, 0, b"NA", ("", None), (1,)])
@pytest.mark.parametrize("name", ["null_values", "true_values", "false_values"])
def test_words_that_are_no_texts_are_refused(name: str, words: object) -> None:
    with pytest.raises(SourceError, match=f"The {name} of data.csv cannot hold"):
        Csv("data.csv", **{name: words})  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["hex", "rot13", "klingon", "undefined"])
def test_an_encoding_of_anything_but_text_is_refused(encoding: str) -> None:
    with pytest.raises(SourceError, match=rf"No encoding '{encoding}' for data\.csv: give one of Python's text encodings"):
        Csv("data.csv", encoding=encoding)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_header_parted_by_another_delimiter_is_answered_with_it(tmp_path: Path, delimiter: str) -> None:
    source = csv_source(tmp_path, f"i{delimiter}s\n1{delimiter}a\n")
    with pytest.raises(SourceError) as refused:
        source.arrow_schema()
    assert f"delimiter={delimiter!r}" in str(refused.value)


def test_a_quoted_name_may_hold_another_delimiter(tmp_path: Path) -> None:
    assert csv_source(tmp_path, '"i;s"\n1\n').column_names() == ("i;s",)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = '\n\ni,s\r\n1,"two\nlines"\r\n\r\n2,"a ""quoted"" word"\n\n\n3,last'
    read = everything(csv_source(tmp_path, text), schema(i="Integral", s="String"))
    assert [row["s"] for row in read.rows] == ["two\nlines", 'a "quoted" word', "last"]
    assert read.positions == [4, 7, 10]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert csv_source(tmp_path, codecs.BOM_UTF8 + b"i,s\n1,a\n").column_names() == ("i", "s")


def test_utf_16_is_refused_by_name_and_read_on_request(tmp_path: Path) -> None:
    text = "i,s\n1,\u00e4\n".encode("utf-16")
    with pytest.raises(SourceError, match=r"UTF-16.*encoding='utf-16'"):
        csv_source(tmp_path, text).column_names()
    assert everything(csv_source(tmp_path, text, encoding="utf-16"), schema(i="Integral", s="String")).rows == [{"i": 1, "s": "\u00e4"}]


def test_latin_1_is_read_on_request_and_else_a_bad_row(tmp_path: Path) -> None:
    text = "i,s\n1,b\xe4r\n2,ok\n".encode("latin-1")
    assert everything(csv_source(tmp_path, text), schema(i="Integral", s="String")).reasons == [(2, "not UTF-8")]
    assert everything(csv_source(tmp_path, text, encoding="latin-1"), schema(i="Integral", s="String")).rows[0]["s"] == "b\xe4r"


@pytest.mark.parametrize(
    ("line", "reason"),
    [("1", "too few fields"), ("1,2,3", "too many fields"), ("1,a\0b", "NUL byte"), ('1,"a"b', "text after a closing quote"), ('1,"open', "unclosed quote")],
)
def test_a_line_that_is_no_row_is_a_bad_row(tmp_path: Path, line: str, reason: str) -> None:
    read = everything(csv_source(tmp_path, f"i,s\n0,ok\n{line}\n"), schema(i="Integral", s="String"))
    assert read.reasons == [(3, reason)]
    assert read.rows == [{"i": 0, "s": "ok"}]


def test_rows_that_an_unclosed_quote_swallows_are_not_taken_in(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i,s\n1,a\n2,"open\n3,c\n4,d\n'), schema(i="Integral", s="String"))
    assert read.positions == [2]
    assert read.bad_rows[0].text == '"open\n3,c\n4,d\n'


def test_an_unclosed_quote_that_meets_another_is_a_bad_row(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i,s\n1,"open\n2,b\n3,"c"\n4,d\n'), schema(i="Integral", s="String"))
    assert read.reasons == [(2, "text after a closing quote")]
    assert [row["i"] for row in read.rows] == [4]


def test_the_line_of_an_unclosed_quote_is_where_it_opens(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 's,t\n"a\nb","open\n'), schema(s="String", t="String"))
    assert read.reasons == [(3, "unclosed quote")]


def test_a_quote_in_an_unquoted_field_is_text(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i,s\n1,5" pipe\n2,say "hi", no\n3,ok\n'), schema(i="Integral", s="String"))
    assert [row["s"] for row in read.rows] == ['5" pipe', "ok"]
    assert read.reasons == [(3, "too many fields")]


def test_without_a_quote_character_quotes_are_text(tmp_path: Path) -> None:
    read = everything(csv_source(tmp_path, 'i;s\n1;"a\n2;b"\n', delimiter=";", quote=""), schema(i="Integral", s="String"))
    assert [row["s"] for row in read.rows] == ['"a', 'b"']


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_a_file_without_a_header_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceError, match="is empty"):
        csv_source(tmp_path, text).column_names()


@pytest.mark.parametrize("text", ["i,s", "i,s\n", "i,s\r\n\r\n"])
def test_a_header_alone_is_no_rows(tmp_path: Path, text: str) -> None:
    source = csv_source(tmp_path, text)
    assert everything(source, schema(i="Integral", s="String")).rows == []
    assert source.column_names() == ("i", "s")


@pytest.mark.parametrize(("header", "message"), [("a,b,a", "'a'.*appears twice"), ("a,,b", "Column 2.*no name"), ("a,b,A", "'A'.*'a' differ only by case")])
def test_a_header_that_cannot_name_columns_is_an_error(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(SchemaMismatchError, match=message):
        csv_source(tmp_path, f"{header}\n1,2,3\n").column_names()


def test_a_field_longer_than_a_block_is_read(tmp_path: Path) -> None:
    long = "x\n" * 5_000
    read = everything(csv_source(tmp_path, f'i,s\n1,"{long}"\n2,b\n', block_bytes=1_000), schema(i="Integral", s="String"))
    assert [row["s"] for row in read.rows] == [long, "b"]
    assert read.positions == [2, 5_003]


def test_a_record_of_more_than_64_mb_is_an_error_that_names_its_line() -> None:
    pieces = iter([b'i,s\n1,"open', b"x" * MAXIMUM_BLOCK])
    with pytest.raises(SourceError, match=r"data\.csv: the record that starts on line 2 is longer than 64 MB"):
        list(cut_blocks(lambda _: next(pieces, b""), Dialect(), 1_000, "data.csv"))


def test_a_reader_may_stop_early(tmp_path: Path) -> None:
    batches = csv_source(tmp_path, "i\n" + "1\n" * 1_000, block_bytes=10).batches(schema(i="Integral"))
    assert next(batches).table.num_rows > 0
    del batches


def test_files_of_one_source_share_a_digest_and_their_lines_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("s,i\nx,3\n")
    (tmp_path / "a.csv").write_text("i,s\n1,p\n2,q\n")
    source = open_source(tmp_path, Settings())
    read = everything(source, schema(i="Integral", s="String"))
    assert [row["i"] for row in read.rows] == [1, 2, 3]
    assert [locate(source.parts(), position) for position in read.positions] == [
        f"{tmp_path}/a.csv, line 2",
        f"{tmp_path}/a.csv, line 3",
        f"{tmp_path}/b.csv, line 2",
    ]
    assert source.bytes_read == source.total_bytes


def test_files_of_one_source_have_the_same_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("i,s\n1,p\n")
    (tmp_path / "b.csv").write_text("i,t\n1,p\n")
    with pytest.raises(SchemaMismatchError, match="'s'"):
        everything(open_source(tmp_path, Settings()))


def test_the_digest_is_that_of_the_text(tmp_path: Path) -> None:
    source = csv_source(tmp_path, "i,s\n1,a\n", block_bytes=3)
    everything(source)
    assert source.digest() == "sha256:" + hashlib.sha256(b"i,s\n1,a\n").hexdigest()


def test_types_are_guessed_only_when_a_schema_is_asked_for(tmp_path: Path) -> None:
    text = "i,code,f,b,d,t,z,s\n1,007,1.5,true,2024-01-31,2024-01-31 10:00,2024-01-31T10:00:00Z,x\n,,,,,,,\n"
    types = [str(field.type) for field in csv_source(tmp_path, text).arrow_schema()]
    assert types == ["int64", "string", "double", "bool", "date32[day]", "timestamp[us]", "timestamp[us, tz=UTC]", "string"]


def test_columns_that_the_schema_does_not_know_are_text(tmp_path: Path) -> None:
    assert everything(csv_source(tmp_path, "i,more\n1,2\n"), schema(i="Integral")).rows == [{"i": 1, "more": "2"}]


@pytest.mark.parametrize("options", [{"delimiter": ",,"}, {"delimiter": "\n"}, {"delimiter": '"'}, {"quote": "''"}, {"encoding": "klingon"}])
def test_options_that_cannot_be_meant_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(SourceError):
        Csv("data.csv", **options)  # type: ignore[arg-type]
