import os

import pytest

from treering.training.announcements import Announcement, announcer
from treering.training.job import SecondaryStatus


def test_what_is_announced_is_heard() -> None:
    said = [Announcement(SecondaryStatus.TRAINING, "Training\nXGBoost"), Announcement(failure="no rows"), Announcement(peak_memory_bytes=5)]
    reading, writing = os.pipe()
    announce = announcer(writing)
    for announcement in said:
        announce(announcement)
    assert not os.get_inheritable(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert [Announcement.from_line(line) for line in pipe] == said


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"5", b'["Completed", "", "", 0]', b'["Dancing", "", "", 0]', b"\xff\n", b'[null, "", "", "much"]'])
def test_what_is_no_announcement_says_nothing(line: bytes) -> None:
    assert Announcement.from_line(line) == Announcement()


def test_a_long_reason_is_cut() -> None:
    assert len(Announcement.from_line(Announcement(failure="x" * 5_000).to_line()).failure) == 1_024
