"""What every kind of storage promises; a test class inherits this and names its objects."""

import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from treering.errors import AlreadyExistsError, InvalidNameError, ObjectNotFoundError
from treering.storage.objects import Objects, create_own


class ObjectsContract:
    """Needs a fixture `objects`."""

    def test_what_was_created_is_read_back(self, objects: Objects):
        assert objects.create("a/b/c", b"content")
        assert objects.read("a/b/c") == b"content"
        assert objects.size("a/b/c") == 7

    def test_the_storage_says_when_an_object_was_written(self, objects: Objects):
        before = time.time_ns() // 1_000
        objects.create("a", b"content")
        # S3 tells whole seconds, and the two clocks are one machine's.
        assert before - 2_000_000 <= (objects.written_at("a") or 0) <= time.time_ns() // 1_000 + 2_000_000
        assert objects.written_at("absent") is None

    def test_an_empty_object_is_an_object(self, objects: Objects):
        assert objects.create("empty", b"")
        assert (objects.read("empty"), objects.size("empty")) == (b"", 0)

    def test_what_stands_is_never_created_again(self, objects: Objects):
        objects.create("a", b"first")
        assert not objects.create("a", b"second")
        assert objects.read("a") == b"first"

    def test_of_eight_at_once_one_creates(self, objects: Objects):
        for round in range(10):
            barrier, landed = threading.Barrier(8), []

            def race(writer: int, round: int = round, barrier: threading.Barrier = barrier, landed: list[int] = landed) -> None:
                barrier.wait()
                if objects.create(f"race/{round}", str(writer).encode()):
                    landed.append(writer)

            threads = [threading.Thread(target=race, args=(writer,)) for writer in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [str(writer).encode() for writer in landed] == [objects.read(f"race/{round}")]

    def test_an_absent_object_has_no_size_and_cannot_be_read(self, objects: Objects):
        objects.create("folder/there", b"x")
        assert objects.size("absent") is None
        for key in ("absent", "folder/absent", "folder/there/below"):
            with pytest.raises(ObjectNotFoundError, match=key):
                objects.read(key)
            with pytest.raises(ObjectNotFoundError):
                objects.input(key)

    def test_a_folder_is_no_object(self, objects: Objects):
        objects.create("folder/there", b"x")
        with pytest.raises(ObjectNotFoundError):
            objects.read("folder")

    def test_put_replaces(self, objects: Objects):
        objects.put("hint", b"1")
        objects.put("hint", b"22")
        assert objects.read("hint") == b"22"

    def test_a_list_is_sorted_and_takes_a_prefix_for_a_folder(self, objects: Objects):
        for key in ("p/b", "p/a/z", "p/a.json", "pq", "other/x"):
            objects.create(key, b"")
        assert objects.list("p") == objects.list("p/") == ["p/a.json", "p/a/z", "p/b"]
        assert objects.list("nothing") == []
        assert len(objects.list("")) == 5

    def test_a_list_hides_the_leftovers_of_unfinished_writes(self, objects: Objects):
        for key in ("d/x#1", "d/.x.0a1b.staging", "d/x"):
            objects.create(key, b"")
        assert objects.list("d") == ["d/x"]

    def test_deleting_passes_over_what_is_absent(self, objects: Objects):
        objects.create("a", b"")
        objects.create("b", b"")
        objects.delete(["a", "absent", "no/such/folder"])
        objects.delete([])
        assert objects.list("") == ["b"]

    def test_an_output_appears_whole_when_its_body_is_through(self, objects: Objects):
        with objects.output("data/run.parquet") as file:
            file.write(b"half")
            assert objects.size("data/run.parquet") is None
            file.write(b"whole")
        assert objects.read("data/run.parquet") == b"halfwhole"

    def test_an_output_whose_body_fails_leaves_nothing(self, objects: Objects):
        def write_half() -> None:
            with objects.output("data/run.parquet") as file:
                file.write(b"half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_half()
        assert objects.list("") == []

    def test_an_output_never_replaces(self, objects: Objects):
        objects.create("data/run", b"first")
        with pytest.raises(AlreadyExistsError, match="data/run"), objects.output("data/run") as file:
            file.write(b"second")
        assert objects.read("data/run") == b"first"

    def test_parquet_is_written_and_read_in_parts(self, objects: Objects):
        table = pa.table({"a": range(100_000), "b": [str(number) for number in range(100_000)]})
        with objects.output("run.parquet") as file:
            pq.write_table(table, file, row_group_size=10_000)
        file = pq.ParquetFile(objects.input("run.parquet"), pre_buffer=True)
        assert file.read_row_group(7, ["b"])["b"][0].as_py() == "70000"
        assert file.read().equals(table)

    @pytest.mark.parametrize("key", ["", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "a\0b", "a\\b", "a/", "a\nb"])
    def test_a_key_cannot_leave_the_root(self, objects: Objects, key: str):
        for use in (objects.read, objects.size, objects.input, lambda key: objects.create(key, b""), lambda key: objects.put(key, b"")):
            with pytest.raises(InvalidNameError):
                use(key)

    @pytest.mark.parametrize("key", ["with space", "ünïcödé/日本", "per%20cent", "que?ry#frag&x=y", "plus+=,;@!$'()*[]{}~`^"])
    def test_unusual_characters_are_just_characters(self, objects: Objects, key: str):
        assert objects.create(key, b"x")
        assert objects.list("") == [key]
        assert objects.read(key) == b"x"
        assert objects.uri(key) == f"{objects.uri('')}/{key}"

    def test_creating_ones_own_is_told_from_meeting_anothers(self, objects: Objects):
        assert create_own(objects, "own", b"mine")
        assert create_own(objects, "own", b"mine")
        assert not create_own(objects, "own", b"other")
