"""What a command prints: tables and facts for people, JSON for programs, rows into files."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from treering.errors import InvalidDefinitionError

if TYPE_CHECKING:
    import pyarrow as pa

# A pipe has no width; what reads it wants whole lines.
_WIDTH_OF_A_PIPE = 200
_SHOWN_ROWS = 20


def console() -> Console:
    """Make a console for answers: in colour on a terminal, plain and wide in a pipe."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_WIDTH_OF_A_PIPE)


def show(value: Any, *shown: RenderableType, as_json: bool) -> None:
    """Print a command's answer.

    Args:
        value: what `json.dumps` takes, for programs.
        *shown: the same for people.
        as_json: which of the two.
    """
    if as_json:
        typer.echo(json.dumps(_json(value), indent=1, ensure_ascii=False, allow_nan=False, default=str))
        return
    screen = console()
    for part in shown:
        screen.print(Text(part) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))


def _json(value: Any) -> Any:
    """Replace what JSON has no word for: NaN and infinities become null."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def answers_json(answers: "pa.Table", counts: Sequence[Any], out: Path | None, **more: Any) -> dict[str, Any]:
    """Say what was answered, for programs: the rows themselves, unless they were written to a file."""
    where = {"answers": answers.to_pylist()} if out is None else {"out": str(out)}
    return {"rows": answers.num_rows, "counts": counts, **more, **where}


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> RenderableType:
    """Lay out rows; columns whose titles begin with ">" hold numbers.

    Args:
        columns: their titles.
        rows: their cells.
        empty: what stands there instead if there is no row.
    """
    laid_out = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="dim", border_style="dim")
    for number, title in enumerate(columns):
        laid_out.add_column(title.removeprefix(">"), justify="right" if title.startswith(">") else "left", no_wrap=number == 0)
    for row in rows:
        laid_out.add_row(*(Text(cell) for cell in row))
    return laid_out if laid_out.row_count else Text(empty)


def facts(named: Mapping[str, object]) -> RenderableType:
    """Lay out facts, a line each; those that are None or empty are left out."""
    laid_out = Table.grid(padding=(0, 2, 0, 0))
    laid_out.add_column(style="dim", no_wrap=True)
    laid_out.add_column()
    for name, value in named.items():
        if value is not None and value != "":
            laid_out.add_row(Text(name), Text(str(value)))
    return laid_out


def rows_shown(rows: "pa.Table", limit: int = _SHOWN_ROWS) -> list[RenderableType]:
    """Lay out the first rows of a table, with how many there are."""
    import pyarrow as pa

    first = rows.slice(0, limit)
    titles = [f">{field.name}" if pa.types.is_floating(field.type) or pa.types.is_integer(field.type) else field.name for field in rows.schema]
    cells = [[_cell(value) for value in column.to_pylist()] for column in first.columns]
    count = Text(f"{rows.num_rows:,} rows" + (f", the first {limit} of them shown" if rows.num_rows > limit else ""), "dim")
    return [table(titles, list(zip(*cells, strict=True)), empty="No rows."), count]


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_rows(rows: "pa.Table", path: Path) -> None:
    """Write rows to a file of the kind that its name says; it appears whole, or not at all.

    Raises:
        InvalidDefinitionError: for columns that a CSV file cannot hold.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    writers = {".csv": pyarrow.csv.write_csv, ".parquet": pyarrow.parquet.write_table}
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        writers[checked_rows_file(path).suffix.lower()](rows, unfinished)
        unfinished.replace(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidDefinitionError(f"The rows cannot be written to {path}: {error}. Name a .parquet file.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def checked_rows_file(path: Path) -> Path:
    """Refuse a file that rows cannot be written to, before anybody waits for them.

    Raises:
        InvalidDefinitionError: for a name that ends in neither .csv nor .parquet, or a folder that there is not.
    """
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InvalidDefinitionError(f"{path} says not what to write. Name a file that ends in .csv or .parquet.")
    return in_folder(path)


def in_folder(path: Path) -> Path:
    """Refuse a file in a folder that there is not.

    Raises:
        InvalidDefinitionError: naming the folder.
    """
    if not path.parent.is_dir():
        raise InvalidDefinitionError(f"{path} cannot be written: there is no folder {path.parent}. Make it first, or name another.")
    return path
