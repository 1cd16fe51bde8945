"""Text files as UTF-8 bytes: uncompressed, transcoded, digested as they are read."""

import codecs
import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import IO, BinaryIO

from treering.errors import SourceError
from treering.sources.files import InputFile

_PIECE = 1024 * 1024
_DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)


class TextStream:
    """The text of one file, from its beginning to its end.

    Attributes:
        name: what messages call the file.
    """

    def __init__(self, file: InputFile, encoding: str) -> None:
        self.name = file.name
        self._raw = _Metered(file.open())
        with ExitStack() as closed_on_error:
            closed_on_error.callback(self._raw.close)
            self._content = _opener(file.name)(self._raw, file.name)
            closed_on_error.pop_all()
        self._digest = hashlib.sha256()
        self._decode = None if codecs.lookup(encoding).name == "utf-8" else codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._at_start = True

    def read(self, size: int) -> bytes:
        """Read about `size` bytes of UTF-8; none at the end.

        Raises:
            SourceError: for a damaged archive, or bytes that are not of the file's encoding.
        """
        if self._decode is not None:
            return self._transcoded(size)
        if not self._at_start:
            return self._fill(size)
        self._at_start = False
        return self._without_mark(self._fill(size + len(codecs.BOM_UTF8)))

    def _fill(self, size: int) -> bytes:
        pieces: list[bytes] = []
        missing = size
        while missing > 0:
            try:
                piece = self._content.read(missing)
            except _DAMAGE as error:
                raise SourceError(f"{self.name} is damaged: {error}. Copy it again.") from error
            if not piece:
                break
            self._digest.update(piece)
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _without_mark(self, data: bytes) -> bytes:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise SourceError(f"{self.name} is UTF-16, not UTF-8. Give tr.Csv({self.name!r}, encoding='utf-16').")
        return data.removeprefix(codecs.BOM_UTF8)

    def _transcoded(self, size: int) -> bytes:
        assert self._decode is not None
        text, data = "", b"-"
        try:
            while data and not text:
                data = self._fill(size)
                text = self._decode.decode(data, final=not data)
        except UnicodeError as error:
            raise SourceError(f"{self.name} is not {self._encoding}: {error}. Give the right encoding to tr.Csv.") from error
        return text.encode("utf-8")

    @property
    def bytes_read(self) -> int:
        """How many bytes of the file itself, compressed as it is, have been read."""
        return self._raw.count

    def digest(self) -> bytes:
        """SHA-256 of the uncompressed bytes so far."""
        return self._digest.digest()

    def digest_of_all(self) -> bytes:
        """SHA-256 of the uncompressed bytes to the end of the file, which is read there."""
        while self._fill(_PIECE):
            pass
        return self._digest.digest()

    def close(self) -> None:
        """Close the file."""
        self._content.close()
        self._raw.close()


class _Metered(io.RawIOBase):
    """A file that counts what is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        # pyarrow's files take no negative size.
        data = self._file.read() if size < 0 else self._file.read(size)
        self.count += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


_Content = io.RawIOBase | BinaryIO | IO[bytes] | gzip.GzipFile


def _plain(raw: _Metered, name: str) -> _Content:
    return raw


def _gzipped(raw: _Metered, name: str) -> _Content:
    return gzip.GzipFile(fileobj=raw, mode="rb")


def _zipped(raw: _Metered, name: str) -> _Content:
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise SourceError(f"{name} is no ZIP archive: {error}. Copy it again.") from error
    # macOS puts a shadow of every file into the archives that it makes.
    members = [m for m in archive.infolist() if m.filename.lower().endswith(".csv") and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        found = ", ".join(repr(member.filename) for member in members) or "none"
        raise SourceError(f"{name} has to hold exactly one CSV file; it holds {found}. Extract what you want, and give that path.")
    try:
        return archive.open(members[0])
    except (RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{members[0].filename!r} in {name} cannot be extracted: {error}. Extract it yourself, and give that path.") from error


_OPENERS: Mapping[str, Callable[[_Metered, str], _Content]] = {".gz": _gzipped, ".zip": _zipped}


def _opener(name: str) -> Callable[[_Metered, str], _Content]:
    return next((opener for suffix, opener in _OPENERS.items() if name.lower().endswith(suffix)), _plain)
