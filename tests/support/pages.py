"""Pages of documentation as a reader follows them: files are saved, code runs, commands are typed, and what is shown has to be printed."""

import doctest
import io
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(?P<language>\w*)(?: title=(?P<title>\S+))?\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
# What differs from one run to the next: ids, the present, durations and sizes; and the last digits of what was learned.
_VARYING = (
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "<id>"),
    (re.compile(r"20[2-9]\d-\d\d-\d\d \d\d:\d\d(:\d\d)?(\.\d+)?(Z|\+00:00)?"), "<now>"),
    (re.compile(r"[\d,.]+ (s|rows/s|MB|MiB|bytes)\b"), r"# \1"),
    (re.compile(r"(\d\.\d\d)\d+"), r"\1"),
    (re.compile(r"[─┃━]+"), "-"),
)
_LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: behind the fence; empty if there is none.
        title: the file that the block is saved as; empty if there is none.
        line: of the page on which its body begins.
    """

    language: str
    title: str
    body: str
    line: int


def fenced(text: str) -> list[Block]:
    return [Block(found["language"], found["title"] or "", found["body"], text.count("\n", 0, found.start()) + 2) for found in _BLOCK.finditer(text)]


def blocks(text: str, language: str) -> list[str]:
    return [block.body for block in fenced(text) if block.language == language]


@dataclass
class Reader:
    """Follows pages one after another, as one person in one Python session and one shell.

    Attributes:
        folder: where it works; files are saved here.
        called: how pages call what is called otherwise here, such as the store's root.
        names: of the Python session.
    """

    folder: Path
    called: Mapping[str, str]
    names: dict[str, Any] = field(default_factory=dict)
    _printed: str = ""
    _exported: list[str] = field(default_factory=list)

    def follow(self, page: Path) -> None:
        """Do what a page says, in order.

        A text block shows what the Python block before it prints, a console block what each of its commands prints; `...`
        stands for what is left out.
        """
        for block in fenced(page.read_text("utf-8")):
            where = f"{page.name}, line {block.line}"
            if block.title:
                (self.folder / block.title).write_text(block.body, "utf-8")
            elif block.language == "python":
                self._run(block, where)
            elif block.language == "console":
                self._type(block, where)
            else:
                assert block.language == "text", f"{where}: a block of {block.language!r} is neither run nor saved"
                self._compare(block.body, self._printed, where)

    def _run(self, block: Block, where: str) -> None:
        # An error shows the page's line.
        code = compile("\n" * (block.line - 1) + block.body, where, "exec")
        with redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        self._printed = printed.getvalue()

    def _type(self, block: Block, where: str) -> None:
        commands = re.findall(r"^\$ (.*)$", block.body, re.MULTILINE)
        assert commands, f"{where}: no line begins with a dollar sign"
        self._compare(block.body, "".join(f"$ {command}\n{self._answer(command)}" for command in commands), where)

    def _answer(self, command: str) -> str:
        if command.startswith("export "):
            self._exported.append(command)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        typed = "\n".join(["set -e", *self._exported, command])
        ended = subprocess.run(
            ["sh", "-c", typed], cwd=self.folder, env=os.environ | {"PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        return ended.stdout

    def _compare(self, shown: str, printed: str, where: str) -> None:
        agrees = doctest.OutputChecker().check_output(self._normal(shown), self._normal(printed), _LENIENT)
        assert agrees, f"{where} shows\n\n{shown}\nand what is printed is\n\n{printed}"

    def _normal(self, text: str) -> str:
        for name, called in self.called.items():
            text = text.replace(name, called)
        for pattern, stands in _VARYING:
            text = pattern.sub(stands, text)
        return text
