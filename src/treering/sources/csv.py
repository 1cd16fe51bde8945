"""CSV files as a source: read once, in order, in blocks, by as many threads as there are processors."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from treering.errors import SchemaMismatchError, SourceError
from treering.schema.types import FeatureType
from treering.sources.batches import Part, SourceBatch, Types, distinct
from treering.sources.csv_blocks import Block, Dialect, count_lines, cut_blocks
from treering.sources.csv_parse import BlockParser
from treering.sources.csv_records import Records, split
from treering.sources.csv_values import Words, inferred
from treering.sources.files import InputFile
from treering.sources.text import TextStream

# Larger blocks leave the processor's cache and are slower; smaller ones make more batches than they save.
BLOCK_BYTES = 2 * 1024 * 1024
_HEADER_BYTES = 64 * 1024
_OTHER_DELIMITERS = (";", "\t")

# What pyarrow's parser makes by itself; times stay text until the rules of the group are known.
_PARSED = {FeatureType.INTEGRAL: pa.int64(), FeatureType.FRACTIONAL: pa.float64(), FeatureType.BOOLEAN: pa.bool_()}


@dataclass(frozen=True, slots=True)
class Csv:
    """A CSV file, or a folder or pattern of them, and how it is written.

    Attributes:
        path: a path or `s3://` URI.
        delimiter: the character between two fields.
        null_values: the word, or words, that stand for a null, where they are not quoted; a quoted empty field is an empty text.
        encoding: of the characters, as Python names it.
        quote: the character around fields; "" if there is none and quotes are text.
        true_values: the word, or words, that stand for true in a Boolean.
        false_values: the word, or words, that stand for false in a Boolean.
    """

    path: str | Path
    delimiter: str = ","
    null_values: str | Collection[str] = ("",)
    encoding: str = "utf-8"
    quote: str = '"'
    true_values: str | Collection[str] = ("true", "True", "TRUE", "1")
    false_values: str | Collection[str] = ("false", "False", "FALSE", "0")

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in f"\r\n\0{self.quote}":
            raise SourceError(f"The delimiter of {self.path} cannot be {self.delimiter!r}: it has to be one ASCII character, such as ',' or ';'.")
        if len(self.quote) > 1 or not self.quote.isascii() or (self.quote and self.quote in "\r\n\0"):
            raise SourceError(f"The quote of {self.path} cannot be {self.quote!r}: it has to be one ASCII character, or '' for none.")
        try:
            "".encode(self.encoding)
        except (LookupError, UnicodeError):
            raise SourceError(f"No encoding {self.encoding!r} for {self.path}: give one of Python's text encodings, such as 'latin-1' or 'utf-16'.") from None
        for name in ("null_values", "true_values", "false_values"):
            object.__setattr__(self, name, _several(getattr(self, name), name, self.path))

    @property
    def dialect(self) -> Dialect:
        """How fields are parted and quoted."""
        return Dialect(self.delimiter.encode(), self.quote.encode())

    @property
    def words(self) -> Words:
        """What stands for null, true and false."""
        return Words(tuple(self.null_values), tuple(self.true_values), tuple(self.false_values))


class CsvSource:
    """CSV files with the same columns, read one after another."""

    def __init__(self, options: Csv, files: tuple[InputFile, ...], *, block_bytes: int = BLOCK_BYTES) -> None:
        self.description = str(options.path)
        self.total_bytes = sum(file.size for file in files)
        self._options = options
        self._files = files
        self._block_bytes = block_bytes
        self._streams: list[TextStream] = []
        self._parts: list[Part] = []
        self._names: tuple[str, ...] = ()

    @property
    def manner(self) -> str:
        """Everything about the options but the path."""
        return repr(replace(self._options, path=""))

    @property
    def bytes_read(self) -> int:
        """How many bytes of the files have been read."""
        return sum(stream.bytes_read for stream in self._streams)

    def column_names(self) -> tuple[str, ...]:
        """The names in the first file's header."""
        if not self._names:
            with closing(TextStream(self._files[0], self._options.encoding)) as stream:
                self._names, _ = self._header(stream.name, self._blocks(stream, min(self._block_bytes, _HEADER_BYTES)))
        return self._names

    def arrow_schema(self, schema: Types | None = None) -> pa.Schema:
        """The columns with the types that a schema gives them, or that the first block of the first file suggests."""
        if schema is not None:
            return pa.schema([(name, self._type(name, schema)) for name in self.column_names()])
        texts = dict.fromkeys(self.column_names(), pa.string())
        with closing(TextStream(self._files[0], self._options.encoding)) as stream:
            tasks = self._tasks(stream, texts, base=0)
            tables = [task().table for task in islice(tasks, 1)]
        guessed = {name: inferred(tables[0].column(name)) if tables else type for name, type in texts.items()}
        return pa.schema(list(guessed.items()))

    def batches(self, schema: Types | None = None) -> Iterator[SourceBatch]:
        """Read the files in order; columns that the schema does not know are text."""
        types = {field.name: field.type if field.type in _PARSED.values() else pa.string() for field in self.arrow_schema(schema)}
        self._streams.clear()
        self._parts.clear()
        return _in_order(self._all_tasks(types), os.cpu_count() or 1)

    def parts(self) -> tuple[Part, ...]:
        """The files that have been come to."""
        return tuple(self._parts)

    def digest(self) -> str:
        """SHA-256 of the one file's text, or of the SHA-256 of each of several."""
        return _digest([stream.digest() for stream in self._streams])

    def content(self) -> str:
        """Read the files to their ends, without parsing them."""
        digests = []
        for file in self._files:
            with closing(TextStream(file, self._options.encoding)) as stream:
                digests.append(stream.digest_of_all())
        return _digest(digests)

    def _type(self, name: str, schema: Types) -> pa.DataType:
        if isinstance(schema, pa.Schema):
            return schema.field(name).type if name in schema.names else pa.string()
        return _PARSED.get(schema[name].type, pa.string()) if name in schema else pa.string()

    def _blocks(self, stream: TextStream, block_bytes: int) -> Iterator[Block]:
        return cut_blocks(stream.read, self._options.dialect, block_bytes, stream.name)

    def _all_tasks(self, types: Mapping[str, pa.DataType]) -> Iterator["_Task"]:
        base = 0
        for file in self._files:
            with closing(TextStream(file, self._options.encoding)) as stream:
                self._streams.append(stream)
                self._parts.append(Part(file.name, base, "line"))
                base = yield from self._tasks(stream, types, base)

    def _tasks(self, stream: TextStream, types: Mapping[str, pa.DataType], base: int) -> Generator["_Task", None, int]:
        """Give what is to be done to parse a file, block by block; return the base of the file after it."""
        blocks = self._blocks(stream, self._block_bytes)
        names, rest = self._header(stream.name, blocks)
        self._check_same_columns(stream.name, names, types)
        parser = BlockParser(stream.name, self._options.dialect, self._options.words, {name: types[name] for name in names}, base)
        last = rest
        for last in chain([rest] if rest.data else [], blocks):
            yield partial(_parse, parser, last, tuple(types))
        return base + last.first_line + last.lines

    def _check_same_columns(self, name: str, names: tuple[str, ...], types: Mapping[str, pa.DataType]) -> None:
        for odd in sorted(types.keys() ^ set(names)):
            has, lacks = (name, self._files[0].name) if odd in names else (self._files[0].name, name)
            raise SchemaMismatchError(f"{has} has a column {odd!r} that {lacks} lacks: files that are read together have the same columns.")

    def _check_delimiter(self, header: bytes, names: tuple[str, ...], file: str) -> None:
        is_quoted = bool(self._options.quote) and header.startswith(self._options.dialect.quote)
        for other in _OTHER_DELIMITERS if len(names) == 1 and not is_quoted else ():
            if other in names[0]:
                hint = f"Say what parts them, as in tr.Csv({file!r}, delimiter={other!r}), or quote the name if it is one."
                raise SourceError(f"{file} has one column, {names[0]!r}, whose name looks like several. {hint}")

    def _header(self, name: str, blocks: Iterator[Block]) -> tuple[tuple[str, ...], Block]:
        """Take the header from a file's blocks, and give what follows it in its block."""
        for block in blocks:
            records = Records.of(block, self._options.dialect)
            if not block.is_closed:
                raise SourceError(f"{name}: a quote in the header, on line {block.first_line}, is never closed. Mend the file.")
            if len(records):
                fields = split(block.data, records.starts[0], records.ends[0], self._options.dialect)
                names = distinct((_name(field.value, name) for field in fields), name)
                self._check_delimiter(block.data[records.starts[0] : records.ends[0]], names, name)
                return names, _after(block, int(records.stops[0]))
        raise SourceError(f"{name} is empty: a CSV file starts with a line of column names.")


def _several(words: str | Collection[str], name: str, path: str | Path) -> tuple[str, ...]:
    """Take one word for a tuple of it: the characters of a text are never meant one by one."""
    several = (words,) if isinstance(words, str) or not isinstance(words, Collection) else tuple(words)
    for odd in (word for word in several if not isinstance(word, str)):
        raise SourceError(f"The {name} of {path} cannot hold {odd!r}: they are texts, such as {name}=('', 'NA').")
    return several


def _digest(digests: list[bytes]) -> str:
    return f"sha256:{(digests[0] if len(digests) == 1 else hashlib.sha256(b''.join(digests)).digest()).hex()}"


_Task = Callable[[], SourceBatch]


def _parse(parser: BlockParser, block: Block, names: tuple[str, ...]) -> SourceBatch:
    batch = parser.parse(block)
    return batch if tuple(parser.types) == names else replace(batch, table=batch.table.select(names))


def _name(field: bytes, file: str) -> str:
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        shown = field.decode("utf-8", errors="replace")
        raise SourceError(f"{file}: the column name {shown!r} is not UTF-8. Give the file's encoding, such as tr.Csv({file!r}, encoding='latin-1').") from None


def _after(block: Block, start: int) -> Block:
    before, data = block.data[:start], block.data[start:]
    ends = None if block.ends is None else block.ends[block.ends >= start] - start
    return Block(data, block.first_line + count_lines(before), count_lines(data) if data else 0, ends)


def _in_order(tasks: Iterable[_Task], threads: int) -> Iterator[SourceBatch]:
    """Run tasks in threads, a few ahead of the one whose result is asked for."""
    running: deque[Future[SourceBatch]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="csv") as pool:
        for task in tasks:
            running.append(pool.submit(task))
            if len(running) > threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
