"""Full, closed and odd outputs, odd names, Ctrl-C: as whole processes meet them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from snpredict import errors
from snpredict.files import check_destination

ROOT = Path(__file__).resolve().parents[2]
UNWRITTEN = errors.OutputError.exit_code

pytestmark = pytest.mark.skipif(os.name == "nt", reason="redirections of a POSIX shell")

COMMANDS = {
    "help": "--help",
    "version": "--version",
    "command's help": "predict --help",
    "predict": "predict g.tsv -q -m {model}",
    "check": "check g.tsv -m {model}",
    "explain": "explain g.tsv --sample s1 -q -m {model}",
    "explain SNP": "explain --snp Gm01_1000_A_G -m {model}",
    "models": "models",
    "models as JSON": "models --json",
    "model": "models show {model}",
}


@pytest.fixture
def shell(folder, tiny_bundle):
    """Runs `python -m snpredict` with arguments and redirections as a shell reads them."""

    def run(line: str, program: str = "snpredict", **environment: str):
        line = line.replace("{model}", shlex.quote(str(tiny_bundle)))
        return subprocess.run(
            f"{shlex.quote(sys.executable)} -m {program} {line}",
            shell=True,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
        )

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_stdout(shell, command):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(COMMANDS[command] + " > /dev/full")
    assert done.returncode == UNWRITTEN
    lines = done.stderr.decode().splitlines()
    assert "error: stdout cannot be written: No space left on device" in lines
    assert "hint: is it closed, or the disk full?" in lines
    assert "Traceback" not in done.stderr.decode()
    assert "Exception" not in done.stderr.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout(shell, command):
    done = shell(COMMANDS[command] + " >&-")
    assert done.returncode == UNWRITTEN
    assert "error: stdout cannot be written: Bad file descriptor" in done.stderr.decode()
    assert "Exception" not in done.stderr.decode()


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_training_has_the_same_streams(shell, redirection):
    done = shell(f"--help {redirection}", program="train")
    assert done.returncode == UNWRITTEN
    assert "error: stdout cannot be written: " in done.stderr.decode()


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
def test_results_are_written_whatever_the_streams_are(shell, folder, redirection):
    done = shell(f"predict g.tsv -m {{model}} -o r.tsv {redirection}")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len((folder / "r.tsv").read_text().splitlines()) == 61


def test_a_closed_stderr_leaves_the_exit_code(shell):
    assert shell("predict absent.tsv 2>&-").returncode == errors.FileNotFound.exit_code
    assert shell("predict --bogus 2>&-").returncode == 2


def test_the_viewer_without_input(shell):
    done = shell("explain -m {model} <&-")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("out", ["/dev/stdout", "/dev/fd/1"])
def test_standard_output_by_name(shell, folder, out):
    expected = shell("predict g.tsv -q -m {model}").stdout
    assert shell(f"predict g.tsv -q -m {{model}} -o {out}").stdout == expected
    (folder / "all.tsv").write_bytes(b"before\n")
    assert shell(f"predict g.tsv -q -m {{model}} -o {out} >> all.tsv").returncode == 0
    assert (folder / "all.tsv").read_bytes() == b"before\n" + expected


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("predict g.tsv -q >> g.tsv", "/dev/stdout is the input file"),
        ("predict g.tsv -q -o /dev/stdout >> g.tsv", "/dev/stdout is the input file"),
        ("check g.tsv >> g.tsv", "/dev/stdout is the input file"),
        ("predict g.tsv -q --match-log r.tsv >> r.tsv", "stdout and --match-log are the same file"),
        ("check g.tsv --match-log r.tsv >> r.tsv", "stdout and --match-log are the same file"),
        (
            "predict g.tsv -q -o /dev/stdout --match-log r.tsv >> r.tsv",
            "--out and --match-log are the same file",
        ),
        (
            "predict g.tsv -q -o r.tsv --match-log /dev/stdout >> r.tsv",
            "--out and --match-log are the same file",
        ),
    ],
)
def test_what_the_shell_opened_for_stdout_is_an_output_too(shell, folder, line, words):
    (folder / "r.tsv").write_bytes(b"before\n")
    genotypes = (folder / "g.tsv").read_bytes()
    command, _, redirection = line.partition(" >> ")
    done = shell(f"{command} -m {{model}} >> {redirection}")
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"error: {words}")
    assert (folder / "g.tsv").read_bytes() == genotypes
    assert (folder / "r.tsv").read_bytes() == b"before\n"


def test_a_closed_stdout_by_name_is_seen_before_any_work(shell):
    done = shell("predict g.tsv -m {model} -o /dev/stdout >&-")
    assert done.returncode == UNWRITTEN
    assert done.stderr == b"error: /dev/stdout cannot be written: Bad file descriptor\n"


def test_a_file_is_not_a_folder(shell):
    done = shell("predict g.tsv -m {model} -o g.tsv/r.tsv")
    assert done.returncode == UNWRITTEN
    assert b"g.tsv is not a folder" in done.stderr
    assert b"create it first" not in done.stderr


def test_a_folder_that_may_not_be_searched(tmp_path, monkeypatch):
    def refuse(self, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(errors.OutputError, match=r"out\.tsv cannot be written: Permission denied"):
        check_destination(tmp_path / "out.tsv")


# --- names -------------------------------------------------------------------------------------

ODD = "\x1b[31mred\n\nhint: rm -rf.tsv"


@pytest.mark.parametrize("command", ["predict", "check", "explain --sample s1"])
@pytest.mark.parametrize("exists", [True, False])
def test_names_do_not_steer_the_terminal(shell, folder, command, exists):
    if exists:
        (folder / ODD).write_bytes((folder / "g.tsv").read_bytes())
    done = shell(f"{command} {shlex.quote(ODD)} -m {{model}}")
    assert done.returncode == (0 if exists else errors.FileNotFound.exit_code)
    said = done.stderr + done.stdout
    assert b"\x1b" not in said
    assert b"\nhint: rm" not in said
    assert "�[31mred��hint: rm -rf.tsv" in said.decode()


def test_names_of_outputs_models_and_tables(shell):
    for line in (
        f"predict g.tsv -m {{model}} -o {shlex.quote(ODD + '/r.tsv')}",
        f"predict g.tsv -m {shlex.quote(ODD)}",
        f"models show {shlex.quote(ODD)}",
        f"predict g.tsv {shlex.quote(ODD)}",
    ):
        done = shell(line)
        assert done.returncode in (2, errors.UnknownModel.exit_code, UNWRITTEN)
        assert b"\x1b" not in done.stderr
        assert b"\nhint: rm" not in done.stderr


def test_a_name_that_is_not_utf8(shell, folder):
    name = "$'g\\xff.tsv'"
    path = os.fsencode(folder) + b"/g\xff.tsv"
    try:
        Path(os.fsdecode(path)).write_bytes((folder / "g.tsv").read_bytes())
    except OSError:
        pytest.skip("this file system has UTF-8 names only")

    def bash(line: str):
        return shell(f"--version > /dev/null; exec bash -c {shlex.quote(line)}")

    python = f"{shlex.quote(sys.executable)} -m snpredict"
    model = "-m {model}"
    done = bash(f"{python} predict {name} {model} -o r.tsv")
    assert done.returncode == 0
    assert "g�.tsv".encode() in done.stderr
    for line in (
        f"predict {name} {model} -o r.json",
        f"predict {name} {model} -o r.parquet",
        f"predict {name} {model} -o r.csv --match-log r.json",
        f"check {name} {model} --json",
        f"models show {name}.model --json",
    ):
        copy, away = f"cp -r {model[3:]} {name}.model", f"rm -r {name}.model"
        done = bash(f"{copy}; {python} {line}; code=$?; {away}; exit $code")
        assert done.returncode == UNWRITTEN, done.stderr
        assert b"is not UTF-8" in done.stderr
        assert b"hint: rename" in done.stderr
        # The name, and not the whole document that it is in.
        assert len(done.stderr) < 200
    names = sorted(os.fsencode(path.name) for path in folder.iterdir())
    assert names == [b"g.tsv", b"g\xff.tsv", b"r.tsv"]


# --- Ctrl-C ------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["typer", "snpredict.cli", "numpy", "onnxruntime"])
def test_ctrl_c_while_it_loads(shell, tmp_path, module):
    """A person presses Ctrl-C while the module is imported."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Press())\n"
    )
    done = shell("predict g.tsv -m {model}", PYTHONPATH=f"{hook}{os.pathsep}{ROOT}")
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")


@pytest.mark.parametrize("code", ["raise ImportError('initialization failed')", "raise"])
def test_ctrl_c_that_a_library_turns_into_another_error(shell, tmp_path, code):
    """As compiled modules do; and Python remembers one that passed through code made from text."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        "class Press:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'pyarrow':\n"
        "            try:\n"
        "                exec('os.kill(os.getpid(), signal.SIGINT); [None for _ in range(99)]')\n"
        "            except KeyboardInterrupt:\n"
        f"                {code}\n"
        "sys.meta_path.insert(0, Press())\n"
    )
    done = shell("predict g.tsv -m {model}", PYTHONPATH=f"{hook}{os.pathsep}{ROOT}")
    assert (done.returncode, done.stderr) == (130, b"interrupted\n")
