import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from snpredict import errors
from snpredict.files import check_apart, check_destination, write_file, write_files

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_is_replaced_and_nothing_else_left(tmp_path):
    out = tmp_path / "out.tsv"
    out.write_text("old")
    write_file(b"new", out)
    assert out.read_text() == "new"
    assert list(tmp_path.iterdir()) == [out]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "out.tsv"
    out.write_text("old")

    def interrupt(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(b"new", out)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(errors.OutputError, match="No space left"):
        write_file(b"new", tmp_path / "out.tsv")
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(tmp_path):
    real, link = tmp_path / "real.tsv", tmp_path / "link.tsv"
    real.write_text("old")
    link.symlink_to(real)
    write_file(b"new", link)
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_device_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(b"new", pipe)
        assert os.read(reader, 100) == b"new"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_destinations_that_cannot_be_written(tmp_path):
    source = tmp_path / "g.tsv"
    source.write_text("x")
    with pytest.raises(errors.OutputError, match="is a directory"):
        check_destination(tmp_path)
    with pytest.raises(errors.OutputError, match="does not exist"):
        check_destination(tmp_path / "no" / "out.tsv")
    with pytest.raises(errors.UsageError, match="is the input file"):
        check_destination(tmp_path / "." / "g.tsv", [source])
    check_destination(tmp_path / "out.tsv", [source, tmp_path / "absent.tsv"])


def test_a_link_to_an_input_is_the_input(tmp_path):
    source = tmp_path / "g.bed"
    source.write_text("x")
    (tmp_path / "soft.tsv").symlink_to(source)
    (tmp_path / "hard.tsv").hardlink_to(source)
    for name in ("soft.tsv", "hard.tsv"):
        with pytest.raises(errors.UsageError, match="is read with g"):
            check_destination(tmp_path / name, [Path("g"), source])


def test_a_folder_that_is_read_is_not_written_into(tmp_path):
    (tmp_path / "bundle" / "folds").mkdir(parents=True)
    (tmp_path / "bundle" / "folds" / "a.onnx").write_text("x")
    (tmp_path / "hard.tsv").hardlink_to(tmp_path / "bundle" / "folds" / "a.onnx")
    for name in ("bundle/new.tsv", "bundle/folds/new.tsv", "bundle/../bundle/x.tsv", "hard.tsv"):
        with pytest.raises(errors.UsageError, match="lies in"):
            check_destination(tmp_path / name, folder=tmp_path / "bundle")
    check_destination(tmp_path / "bundle.tsv", folder=tmp_path / "bundle")


def test_two_names_of_one_new_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(errors.UsageError, match="the same file"):
        check_apart(tmp_path / "a.tsv", tmp_path / "link" / "." / "a.tsv", "--out and --match-log")
    check_apart(tmp_path / "a.tsv", tmp_path / "b.tsv", "both")
    check_apart(Path("/dev/null"), Path("/dev/null"), "both")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_an_older_file_keeps_its_mode(tmp_path, mode):
    out = tmp_path / "out.tsv"
    out.write_text("old")
    out.chmod(mode)
    write_file(b"new", out)
    assert (out.read_text(), stat.S_IMODE(out.stat().st_mode)) == ("new", mode)


def test_a_write_protected_file_is_refused(tmp_path):
    out = tmp_path / "out.tsv"
    out.write_text("old")
    out.chmod(0o444)
    for attempt in (lambda: check_destination(out), lambda: write_file(b"new", out)):
        with pytest.raises(errors.OutputError, match="is write-protected"):
            attempt()
    assert out.read_text() == "old"


def test_a_name_of_255_bytes_has_room(tmp_path):
    out = tmp_path / ("n" * 251 + ".tsv")
    check_destination(out)
    write_file(b"new", out)
    assert out.read_text() == "new"


def test_a_name_that_is_too_long_fails_before_any_work(tmp_path):
    with pytest.raises(errors.OutputError, match="File name too long"):
        check_destination(tmp_path / ("n" * 252 + ".tsv"))


def test_several_files_or_none(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(errors.OutputError, match="cannot be written"):
        write_files({tmp_path / "a.tsv": b"a", tmp_path / "folder" / "b" / "c.tsv": b"b"})
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from snpredict.files import write_file\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"write_file(b'half', Path({str(tmp_path / 'out.tsv')!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with left.open("ab") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        write_file(b"other", tmp_path / "other.tsv")
        assert left.exists()
    write_file(b"new", tmp_path / "out.tsv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.tsv", "out.tsv"]


def test_standard_output_by_name(tmp_path):
    """Written on from where it is, as `>>` begins at the end."""
    (tmp_path / "all.tsv").write_text("before\n")
    code = (
        "from pathlib import Path\nfrom snpredict.files import check_destination, write_file\n"
        "check_destination(Path('/dev/stdout'))\nwrite_file(b'new\\n', Path('/dev/stdout'))\n"
    )
    with (tmp_path / "all.tsv").open("ab") as out:
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=out, check=True)
    assert (tmp_path / "all.tsv").read_text() == "before\nnew\n"
