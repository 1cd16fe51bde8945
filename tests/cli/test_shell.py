"""The command in a real shell: pipes that close, interrupts, completion."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import treering as tr

TREERING = Path(sys.executable).with_name("treering")
WAITS = """
import os, signal
open("pipe", "w").close()
signal.pause()
"""


def completed(line: str, **environment: str) -> list[str]:
    """What a shell offers for the last word of a line."""
    told = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1), "_TREERING_COMPLETE": "complete_bash"}
    shown = subprocess.run([TREERING], env={**os.environ, **told, **environment}, capture_output=True, text=True, check=True)
    assert shown.stderr == ""
    return shown.stdout.split()


def test_commands_options_and_names_are_completed(store) -> None:
    assert completed("treering tr") == ["train", "training-set"]
    assert completed("treering group ingest --nu") == ["--null"]
    assert completed(f"treering view show --store {store} l") == ["late"]
    assert completed("treering group show w", TREERING_STORE=store) == ["weather"]


def test_where_there_is_no_store_no_name_is_completed(files) -> None:
    assert completed("treering group show w") == []


@pytest.mark.parametrize("option", ["", "--json"])
def test_a_reader_that_closes_the_pipe_early_sees_no_traceback(option: str) -> None:
    # More than a pipe holds.
    typed = f"'{TREERING}' parameters {option}; " * 20
    shown = subprocess.run(["sh", "-c", f"({typed}) | head -1"], capture_output=True, text=True, check=True)
    assert shown.stdout.count("\n") == 1
    assert "Traceback" not in shown.stderr


def test_an_interrupt_stops_the_job_and_exits_with_130(run, store, files) -> None:
    build = ("training-set", "build", "late", "--view", "late", "--labels", "flights.csv", "--time", "departs", "--target", "late")
    assert run(*build, "--store", store).code == 0
    os.mkfifo(files / "pipe")
    (files / "train.py").write_text(WAITS.replace('"pipe"', repr(str(files / "pipe"))), "utf-8")
    training = subprocess.Popen(
        [TREERING, "train", "late-1", "-t", "late", "--script", "train.py", "--store", store], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    (files / "pipe").read_bytes()
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate()
    assert training.returncode == 130
    assert b"Traceback" not in errors
    assert tr.Store(store).training_jobs["late-1"].status == "Stopped"


def test_a_job_that_was_stopped_before_it_had_a_model_exits_with_1(run, store, files) -> None:
    build = ("training-set", "build", "late", "--view", "late", "--labels", "flights.csv", "--time", "departs", "--target", "late")
    assert run(*build, "--store", store).code == 0
    (files / "train.py").write_text("import signal\nsignal.pause()\n", "utf-8")
    ended = run("train", "late-1", "-t", "late", "--script", "train.py", "--max-seconds", "1", "--store", store, "--json")
    assert ended.err == ""
    assert (ended.code, ended.json["secondary_status"]) == (1, "MaxRuntimeExceeded")
    assert [job["status"] for job in run("job", "ls", "--store", store, "--json").json] == ["Stopped"]
    assert "MaxRuntimeExceeded" in run("job", "ls", "--store", store).out
