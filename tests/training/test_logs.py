from collections.abc import Iterator

import pytest

from support.looked import START, local_store
from treering.settings import Settings
from treering.training.job import JobSpec, SecondaryStatus, TrainedOn
from treering.training.logs import LogReader, LogWriter, read_log
from treering.training.parameters import XGBoost
from treering.training.records import JobRecords
from treering.training.runner import TrainingJobs

SPEC = JobSpec("late-1", TrainedOn("late", 1, "ab" * 32), XGBoost())


def test_pieces_are_read_along_by_another(any_root: str) -> None:
    writer, reader = LogWriter(local_store(any_root)[0], "logs"), LogReader(local_store(any_root)[0], "logs")
    assert list(reader.new_lines()) == []
    writer.add(b"first\nsec")
    writer.keep(0.0)
    assert list(reader.new_lines()) == ["first"]
    writer.add("ond\nd\u00e9j\u00e0 vu".encode())
    assert writer.close() == ""
    assert [*reader.new_lines(), *reader.last_line()] == ["second", "d\u00e9j\u00e0 vu"]
    assert read_log(local_store(any_root)[0], "logs") == "first\nsecond\nd\u00e9j\u00e0 vu"


def test_long_jobs_write_fewer_pieces(any_root: str) -> None:
    objects, _ = local_store(any_root)
    writer = LogWriter(objects, "logs")
    for second in (0.0, 0.5, 1.0, 600.0, 601.0, 604.9, 605.0, 100_000.0, 100_009.0, 100_010.0):
        writer.add(b"%.1f\n" % second)
        writer.keep(second)
    assert [objects.read(key) for key in objects.list("logs")] == [
        b"0.0\n",
        b"0.5\n1.0\n",
        b"600.0\n",
        b"601.0\n604.9\n605.0\n",
        b"100000.0\n",
        b"100009.0\n100010.0\n",
    ]


def test_nothing_new_writes_nothing(any_root: str) -> None:
    objects, _ = local_store(any_root)
    writer = LogWriter(objects, "logs")
    writer.keep(0.0)
    assert (writer.close(), objects.list("logs"), read_log(objects, "logs")) == ("", [], "")


def test_a_place_that_is_taken_loses_the_log_and_says_so(any_root: str) -> None:
    objects, _ = local_store(any_root)
    objects.create("logs/00000001.txt", b"somebody else's")
    writer = LogWriter(objects, "logs")
    writer.add(b"mine\n")
    assert writer.close().startswith(" Its output could not be kept: ")
    assert objects.read("logs/00000001.txt") == b"somebody else's"


@pytest.fixture
def jobs(any_root: str) -> TrainingJobs:
    return TrainingJobs(*local_store(any_root), Settings(), lambda: START)


def test_a_running_job_is_followed_to_its_end_from_another_process(jobs: TrainingJobs, any_root: str) -> None:
    objects, documents = local_store(any_root)
    records, writer = JobRecords(documents, lambda: START), LogWriter(objects, SPEC.logs_folder)
    records.begin(SPEC)

    def life() -> Iterator[None]:
        writer.add(b"[0]\n")
        writer.keep(0.0)
        assert jobs.logs("late-1") == "[0]\n"
        yield
        writer.add(b"[1]\ndone")
        writer.close()
        records.end("late-1", SecondaryStatus.FAILED)
        yield

    running = life()
    lines = jobs.follow("late-1", pause=lambda _: next(running))
    assert list(lines) == ["[0]", "[1]", "done"]
    assert list(jobs.follow("late-1")) == ["[0]", "[1]", "done"]
