import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeci.model.context import MAX_FILES, MAX_TOTAL_BYTES, Entry, EntryKind, assemble, kept_out


def file(path: str, text: str = "x", size: int = 1) -> Entry:
    return Entry(path, EntryKind.FILE, text, size)


def link(path: str, target: str) -> Entry:
    return Entry(path, EntryKind.SYMLINK, target, len(target))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            Entry("a", EntryKind.FILE, None, 10_000_000),
            "has 10,000,000 bytes; a file of the CI folder may have 1,000,000",
        ),
        (Entry("a", EntryKind.FILE, None, 5, binary=True), "is binary"),
        (Entry("a", EntryKind.FILE, None, 5), "was not read whole"),
        (Entry("a", EntryKind.SUBMODULE, None, 0), "is a submodule, not a file"),
        (Entry("a", EntryKind.OTHER, None, 0), "is not a file"),
        (file("1/2/3/4/5/a"), "lies deeper than 4 subfolders"),
        (link("a", "../secret"), "is a symbolic link that leads out of the folder or to nothing"),
        (link("a", "/etc/passwd"), "is a symbolic link that leads out of the folder or to nothing"),
        (link("a", "nothing"), "is a symbolic link that leads out of the folder or to nothing"),
        (link("a", "a"), "is a symbolic link that leads out of the folder or to nothing"),
        (link("a", "x/../../b"), "is a symbolic link that leads out of the folder or to nothing"),
    ],
)
def test_kept_out(entry: Entry, reason: str) -> None:
    source = assemble([entry, file("b")])
    assert source.files == {"b": "x"}
    assert kept_out(source.problems, entry.path) == reason
    assert not kept_out(source.problems, "b")


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", "./a", "a/..", "", "a\nb", "a\x00"])
def test_names_that_are_no_names(path: str) -> None:
    source = assemble([file(path)])
    assert source.files == {}
    assert len(source.problems) == 1
    assert "\n" not in source.problems[0]


@pytest.mark.parametrize(
    ("links", "path"),
    [
        ([link("l", "d/a")], "l"),
        ([link("d/l", "a")], "d/l"),
        ([link("d/l", "../d/./a")], "d/l"),
        ([link("l", "m"), link("m", "d/a")], "l"),
        ([link("l", "d")], "l/a"),
        ([link("e", "d"), link("l", "e/a")], "l"),
        ([link("l", "d"), link("d/b", "a")], "l/b"),
    ],
)
def test_links_inside_are_followed(links: list[Entry], path: str) -> None:
    files = assemble([file("d/a", "found"), *links]).files
    assert files is not None
    assert files[path] == "found"


def test_a_link_to_its_own_folder_ends() -> None:
    files = assemble([file("d/a"), link("d/self", "../d"), link("d/up", "..")]).files
    assert files is not None
    assert "d/self/a" in files


def test_the_top_of_the_folder_survives_ten_thousand_files() -> None:
    source = assemble([*(file(f"a/{n}") for n in range(10_000)), file("ci.star")])
    assert source.files is not None
    assert "ci.star" in source.files
    assert len(source.files) == MAX_FILES
    assert len(source.problems) == 1


def test_together_the_files_stay_under_the_limit() -> None:
    source = assemble(file(f"f{n}", size=900_000) for n in range(6))
    assert source.files is not None
    assert len(source.files) * 900_000 <= MAX_TOTAL_BYTES
    assert (
        kept_out(source.problems, "f5") == "exceeds the 4,000,000 bytes that the CI folder may have together"
    )


names = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map("/".join)
targets = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=5).map("/".join)


@given(st.lists(st.one_of(names.map(file), st.builds(link, names, targets)), max_size=12))
def test_every_file_comes_from_a_file_of_the_folder(entries: list[Entry]) -> None:
    marked = [Entry(e.path, e.kind, "content", 1) if e.kind is EntryKind.FILE else e for e in entries]
    files = assemble(marked).files
    assert files is not None
    assert set(files.values()) <= {"content"}
