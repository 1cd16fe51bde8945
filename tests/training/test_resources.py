import signal
import subprocess
import sys

import pytest

from treering.settings import usable_memory
from treering.training.resources import ResourceUse, death_text, memory_text, out_of_memory_kills, own_peak_memory, peak_memory_of


def test_the_peak_of_a_process_is_its_own() -> None:
    mine = own_peak_memory()
    with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert 0 < peak_memory_of(child.pid) < mine


def test_a_process_that_is_gone_has_no_peak() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert peak_memory_of(gone.pid) == 0


def test_kills_are_counted_where_the_system_counts_them() -> None:
    assert out_of_memory_kills() >= 0


@pytest.mark.parametrize(
    ("number", "kills", "hint"),
    [(signal.SIGKILL, 1, "The system ran out of memory"), (signal.SIGKILL, 0, "Out of memory? The system's log (dmesg) tells")],
)
def test_a_killed_process_is_asked_about_its_memory(number: int, kills: int, hint: str) -> None:
    assert hint in death_text("train.py", number, 3 * 1024**3, kills=kills)


def test_another_signal_says_nothing_of_memory_but_its_peak() -> None:
    text = death_text("train.py", signal.SIGSEGV, 3 * 1024**3, kills=1)
    assert text == f"train.py was killed by signal 11 (Segmentation fault); its memory was at most 3.0 GiB of {memory_text(usable_memory())}."


def test_use_is_told_in_a_line() -> None:
    assert str(ResourceUse(61.25, 100.0, 2.5, 700 * 1024**2)) == "61.2 s, 102.5 s of processor time (2.5 s in the system), at most 700 MiB of memory"
