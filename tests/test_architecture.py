"""The shape of the code: sizes, owners of heavy libraries, the documented tree. Its figures only tighten."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "treering"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}

LONGEST_FILE, LONGEST_FUNCTION, MOST_PUBLIC_METHODS = 400, 80, 15


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


OWNERS = {
    "pyiceberg": {"storage/manifests.py"},
    "obstore": {"storage/s3_objects.py"},
    "botocore": {"storage/s3_objects.py"},
    "duckdb": {"sql/worker.py"},
    "xgboost": {"training/xgboost_trainer.py"},
    "sklearn": {"recipes/scikit_learn.py"},
    "polars": {"sources/frames.py"},
    "jinja2": {"models/report.py"},
    "typer": {name_of(path) for path in FILES if path.parent == SOURCE / "cli"},
}
HEAVY = ("pyarrow", "numpy", "pandas", "pyiceberg", "obstore", "botocore", "sklearn", "xgboost", "duckdb", "polars", "rich", "typer")


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name_of(path)}:{node.lineno} {node.name}", node


def length_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    docstring = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)


def imports_of(tree: ast.Module) -> set[str]:
    """What a file imports when it runs; what only the type checker sees does not count."""
    guarded = [node for node in ast.walk(tree) if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"]
    unseen = {id(inner) for node in guarded for inner in ast.walk(node)}
    nodes = [node for node in ast.walk(tree) if id(node) not in unseen]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_no_file_outgrows_a_sitting() -> None:
    assert [name_of(path) for path in FILES if path.read_text("utf-8").count("\n") > LONGEST_FILE] == []


def test_no_function_outgrows_a_screen() -> None:
    assert [where for where, function in functions() if length_of(function) > LONGEST_FUNCTION] == []


def test_functions_are_short_as_a_rule() -> None:
    lengths = sorted(length_of(function) for _, function in functions())
    assert lengths[int(len(lengths) * 0.90)] <= 20
    assert lengths[int(len(lengths) * 0.99)] <= 50


def test_no_class_has_too_many_public_methods() -> None:
    classes = [(name_of(path), node) for path, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    public = {f"{where} {node.name}": sum(isinstance(item, ast.FunctionDef) and not item.name.startswith("_") for item in node.body) for where, node in classes}
    assert {name: count for name, count in public.items() if count > MOST_PUBLIC_METHODS} == {}


def test_errors_are_caught_by_name_except_at_three_edges() -> None:
    broad = [
        name_of(path)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException"))
    ]
    assert set(broad) <= {"cli/main.py", "training/worker.py", "sql/worker.py"}
    assert len(broad) <= 3


@pytest.mark.parametrize(("library", "owners"), OWNERS.items(), ids=OWNERS)
def test_a_heavy_library_is_imported_by_its_owner_alone(library: str, owners: set[str]) -> None:
    pattern = re.compile(rf"{library}(\.|$)")
    importers = {name_of(path) for path, tree in TREES.items() if any(pattern.match(name) for name in imports_of(tree))}
    assert importers <= owners


def test_nothing_is_pickled() -> None:
    pickling = ("pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal")
    assert [name_of(path) for path, tree in TREES.items() if imports_of(tree) & set(pickling)] == []


def test_importing_treering_loads_no_heavy_library() -> None:
    code = f"import sys, treering; print([name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_the_documented_tree_is_the_tree_on_disk() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    tree = text[text.index("src/treering/\n") : text.index("```", text.index("src/treering/\n"))]
    documented = set(re.findall(r"^ +([\w/]+\.py) ", tree, re.MULTILINE))
    assert documented == {name_of(path) for path in FILES if path.name != "__init__.py"} | {"__init__.py"}
