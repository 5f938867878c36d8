import os
from pathlib import Path

from kubeci.definition.context import read_context
from kubeci.model.context import MAX_FILE_BYTES, kept_out


def test_no_folder(tmp_path: Path) -> None:
    assert read_context(tmp_path / "none").files is None
    (tmp_path / "file").write_text("x")
    assert read_context(tmp_path / "file").files is None
    (tmp_path / "empty").mkdir()
    assert read_context(tmp_path / "empty").files == {}


def test_files_of_a_working_tree(tmp_path: Path) -> None:
    folder = tmp_path / ".kube-ci"
    (folder / "a/b/c/d/e").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "ci.star").write_text("x = 1\r\n", newline="")
    (folder / "a/b/c/d/deep").write_text("deep")
    (folder / "a/b/c/d/e/deeper").write_text("deeper")
    (folder / "link").symlink_to("a/b/c/d/deep")
    (folder / "up").symlink_to("../secret")
    (folder / "absolute").symlink_to(tmp_path / "secret")
    (folder / "image").write_bytes(b"\x89PNG\0")
    (folder / "latin").write_bytes(b"caf\xe9")
    (folder / "large").write_text("x" * (MAX_FILE_BYTES + 1))
    os.mkfifo(folder / "fifo")
    source = read_context(folder)
    assert source.files == {"ci.star": "x = 1\r\n", "a/b/c/d/deep": "deep", "link": "deep"}
    assert {
        path: kept_out(source.problems, path).split(";")[0]
        for path in ("up", "absolute", "image", "latin", "large", "fifo", "a/b/c/d/e/deeper")
    } == {
        "up": "is a symbolic link that leads out of the folder or to nothing",
        "absolute": "is a symbolic link that leads out of the folder or to nothing",
        "image": "is binary",
        "latin": "is binary",
        "large": "has 1,000,001 bytes",
        "fifo": "is not a file",
        "a/b/c/d/e/deeper": "lies deeper than 4 subfolders",
    }


def test_together_under_the_limit(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"f{number}").write_text("x" * 900_000)
    source = read_context(tmp_path)
    assert source.files is not None
    assert sorted(source.files) == ["f0", "f1", "f2", "f3"]
    assert kept_out(source.problems, "f4")
