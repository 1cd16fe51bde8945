import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import treering as tr
from treering.errors import SqlError
from treering.sql.child import Child, environment
from treering.sql.order import Order, QueryLimits
from treering.sql.spool import Spool

ENDLESS = "SELECT x FROM range(1_000_000_000_000) r(x) WHERE x < 200_000 OR hash(x) = 1"

CONFINED = """
import os, socket, sys
from treering.sql.order import QueryLimits
from treering.sql.worker import confine
confine(QueryLimits())
for what in (lambda: open("/etc/hostname"), lambda: os.open("new", os.O_CREAT | os.O_WRONLY), socket.socket, os.pipe, lambda: os.listdir("/")):
    try:
        what()
    except OSError as error:
        sys.stdout.write(f"{error.errno} ")
"""

ASKING = """
import sys
from treering.sql.child import Child
from treering.sql.order import Order, QueryLimits
from treering.sql.spool import Spool
with Spool(None) as spool, Child(spool.descriptor, QueryLimits()) as child:
    for message in Order(sys.argv[1], {}, QueryLimits()).messages():
        child.tell(message)
    answers = child.answers()
    next(answers)
    child.tell(b"{}")
    next(answers)
    sys.stdout.write(f"{child.pid}\\n")
    sys.stdout.flush()
    next(answers)
"""


def children_of(pid: int) -> list[str]:
    return [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def descriptors() -> set[str]:
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    """A child that waits for its order."""
    with Spool(str(tmp_path)) as spool, Child(spool.descriptor, QueryLimits()) as child:
        yield child


def test_a_query_that_takes_too_long_is_ended_and_its_child_gone(tmp_path: Path) -> None:
    before = children_of(os.getpid())
    with pytest.raises(SqlError, match=r"took longer than 2 seconds and was ended\. Select less, or raise timeout_seconds"):
        tr.Store(tmp_path).sql(ENDLESS, timeout_seconds=2)
    assert children_of(os.getpid()) == before


def test_no_child_file_or_descriptor_is_left_behind(tmp_path: Path) -> None:
    store = tr.Store(tmp_path / "store", settings=tr.Settings(temporary_folder=str(tmp_path)))
    store.sql("SELECT 1")
    before = descriptors(), children_of(os.getpid())
    store.sql("SELECT 1")
    with pytest.raises(SqlError):
        store.sql("SELECT * FROM nowhere")
    assert (descriptors(), children_of(os.getpid())) == before
    assert list(tmp_path.iterdir()) == [tmp_path / "store"]


def test_a_childs_environment_holds_nothing_of_its_parents_secrets(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert set(environment("/empty", os.environ)) - {"LD_LIBRARY_PATH"} == {"PYTHONPATH", "HOME", "TMPDIR", "TZ", "LANG"}
    for message in Order("SELECT 1", {}, QueryLimits()).messages():
        child.tell(message)
    next(child.answers())
    found = dict(line.split("=", 1) for line in Path(f"/proc/{child.pid}/environ").read_text().split("\0") if line)
    assert found.keys() - {"LC_CTYPE"} == environment("/empty", os.environ).keys()
    assert found["HOME"] == os.readlink(f"/proc/{child.pid}/cwd")  # noqa: PTH115


def test_a_child_that_is_killed_is_reported(child: Child) -> None:
    os.kill(child.pid, 9)
    with pytest.raises(SqlError, match=r"ended by signal 9 \(SIGKILL\)"):
        next(child.answers())


def test_a_child_that_fails_is_reported_with_its_last_words(child: Child) -> None:
    child.tell(b"no order")
    with pytest.raises(SqlError, match=r"failed \(exit code 1\): json.decoder.JSONDecodeError"):
        next(child.answers())


def test_a_child_that_says_very_much_is_reported_too(child: Child) -> None:
    child.tell(json.dumps({"query": "", "tables": [], "limits": {"odd" * 100_000: 1}}).encode())
    with pytest.raises(SqlError, match=r"failed \(exit code 1\): TypeError: .*oddodd"):
        next(child.answers())


def test_a_child_that_cannot_be_started_leaves_no_descriptor_behind() -> None:
    before = descriptors()
    with pytest.raises(ValueError, match="fds_to_keep") as refused:
        Child(-1, QueryLimits())
    # The traceback still holds all that the constructor made.
    assert refused.tb is not None
    assert descriptors() == before


def test_a_child_can_open_no_file_and_no_connection(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CONFINED], capture_output=True, text=True, cwd=tmp_path)
    too_many_open_files = "24 "
    assert done.stdout == too_many_open_files * 5, done.stderr


def test_limits_that_are_lower_already_stay(tmp_path: Path) -> None:
    code = "import resource, sys, treering; resource.setrlimit(resource.RLIMIT_CPU, (30, 30)); print(treering.Store(sys.argv[1]).sql('SELECT 1').num_rows)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def test_a_child_in_the_middle_of_a_query_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", ASKING, ENDLESS], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        with os.fdopen(os.pidfd_open(child)) as end:
            parent.kill()
            assert select.select([end], [], []) == ([end], [], [])
