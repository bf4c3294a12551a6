"""No bundle, whatever it holds, makes `predict` end otherwise than with a reason."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from snpredict import errors
from snpredict.bundle.load import find_bundle, find_bundles, load_bundle
from snpredict.bundle.manifest import MANIFEST, MAX_SNPS
from snpredict.bundle.onnx_check import check_model
from snpredict.cli import main
from snpredict.formulas.effects import sampled_snps
from snpredict.formulas.encoding import CHANNEL_CODES
from snpredict.formulas.genotypes import Genotypes
from snpredict.scoring.scorer import Scorer
from tests.bundles import Tiny
from tests.hostile import make
from tests.hostile.make import (
    ENSEMBLE,
    behind_prediction,
    column,
    entry,
    file,
    folds,
    in_place_of,
    in_turn,
    manifest_bytes,
    model,
    operator,
    parquet,
    sparse,
    table,
)
from tests.reading import mutations

SNPS, SALIENCY, OUT_OF_FOLD = "snps.parquet", "saliency.parquet", "out_of_fold.parquet"

TINY = Tiny()
TINY_NOT_AFFINE = Tiny(affine=False)

MISSING, ALTERED, SCHEMA, INVALID = (
    errors.BundleFileMissing,
    errors.BundleFileAltered,
    errors.UnknownSchema,
    errors.InvalidBundle,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return TINY.write(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def bundle(written, tmp_path):
    return shutil.copytree(written, tmp_path / "bundle")


@pytest.fixture
def genotypes(tmp_path):
    path = tmp_path / "genotypes.tsv"
    path.write_text(TINY.table(TINY.draw(3)))
    return path


@pytest.fixture
def refused(bundle, genotypes, capsys):
    """Runs `predict` with the bundle after a lie, and checks how it ends."""

    def check(lie, error, words, folder=bundle):
        lie(folder)
        code = main(["predict", str(genotypes), "--model", str(folder)])
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        assert code == error.exit_code, captured.err
        first, *hints = captured.err.splitlines()
        assert [word for word in words if word not in first] == [], first
        assert len([line for line in hints if line]) <= 1
        assert all(c.isprintable() for c in first)

    return check


#: Files that Python opens while a test looks on, links followed.
_opened: list[str] | None = None


def _look_on(event, arguments):
    if event == "open" and _opened is not None and isinstance(arguments[0], str | os.PathLike):
        _opened.append(os.path.realpath(arguments[0]))


sys.addaudithook(_look_on)


@pytest.fixture
def opened(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "_opened", [])
    return lambda: _opened


def test_the_good_bundle_is_good(bundle, genotypes, capsys):
    assert main(["predict", str(genotypes), "--model", str(bundle)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


# --- paths that lead out -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["folds", "MODEL_CARD.md", MANIFEST, ENSEMBLE])
def test_links_out_of_the_folder(refused, bundle, opened, name):
    word = "folds/fold_01.onnx" if name == "folds" else name
    refused(make.moved_out(name), INVALID, [word, "link", "outside"])
    outside = str((bundle.parent / "outside").resolve())
    assert not [path for path in opened() if path.startswith(outside)]


def test_a_link_to_a_device(refused, bundle, opened):
    refused(in_place_of(ENSEMBLE, lambda path: path.symlink_to("/dev/zero")), INVALID, ["link"])
    assert "/dev/zero" not in opened()
    assert os.path.realpath(bundle / MANIFEST) in opened()


def test_a_link_within_the_folder_is_fine(bundle):
    (bundle / "card").symlink_to(bundle / "MODEL_CARD.md")
    digest = json.loads((bundle / MANIFEST).read_text())["files"]["MODEL_CARD.md"]
    entry("files", "card", value=digest)(bundle)
    assert load_bundle(bundle).files["card"] == b"# tiny\n"


@pytest.mark.parametrize("link", [ENSEMBLE, MANIFEST])
def test_a_link_to_itself(refused, link):
    refused(in_place_of(link, lambda path: path.symlink_to(path.name)), MISSING, [link])


NAMES = [
    *["./ensemble.onnx", "folds//x", "folds/", "folds/./x", "..", ".hidden", "-x", "C:x", "a b"],
    *["a\0b", "a\nb", "\x1b[2Jx", "x\u202ex", "über.onnx", "\udce4", "//server/share", "~/x"],
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_file_names_that_a_manifest_may_not_hold(refused, name):
    refused(entry("files", name, value="0" * 64), INVALID, [MANIFEST])


def test_a_file_name_that_is_too_long(refused):
    refused(entry("files", "x" * 5000, value="0" * 64), MISSING, ["cannot be read"])


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b"], ids=["long", "NUL"])
def test_a_name_that_cannot_be_a_bundle(name):
    with pytest.raises(errors.UnknownModel):
        find_bundle(name)


# --- what is no file, or too large -------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", [MANIFEST, ENSEMBLE])
def test_a_pipe_is_not_waited_for(refused, name):
    refused(in_place_of(name, os.mkfifo), INVALID, [name, "pipe"])


def test_a_device_within_the_folder(refused, bundle):
    def device(path):
        try:
            os.mknod(path, 0o20666, os.makedev(1, 5))  # as /dev/zero
        except (AttributeError, OSError):
            pytest.skip("only the superuser may make devices, and not everywhere")

    refused(in_place_of(ENSEMBLE, device), INVALID, [ENSEMBLE, "device"])


def test_a_folder_in_place_of_the_manifest(refused):
    refused(in_place_of(MANIFEST, Path.mkdir), MISSING, [MANIFEST, "directory"])


@pytest.mark.parametrize(
    ("name", "size"), [(MANIFEST, 2 << 20), ("MODEL_CARD.md", 3 << 30), (ENSEMBLE, 1 << 40)]
)
def test_files_that_are_too_large_are_not_read(refused, name, size):
    lie = in_place_of(name, sparse(size))
    refused(lie, INVALID, [name, "too large", f"found {size} bytes"])


# --- the manifest ------------------------------------------------------------------------------

DEEP = b"[" * 400 + b"]" * 400
LONG = 10**400


@pytest.mark.parametrize(
    ("lie", "error", "words"),
    [
        pytest.param(
            manifest_bytes(lambda text: b"\xef\xbb\xbf" + text), INVALID, ["BOM"], id="BOM"
        ),
        pytest.param(
            manifest_bytes(lambda text: text.decode().encode("utf-16")),
            INVALID,
            ["not valid JSON"],
            id="UTF-16",
        ),
        pytest.param(
            manifest_bytes(lambda text: b'{"name": "a", ' + text[1:]),
            INVALID,
            ["'name' occurs twice"],
            id="repeated entry",
        ),
        pytest.param(
            manifest_bytes(
                lambda text: text.replace(b'"files": {', b'"files": {"x": "", "x": "",')
            ),
            INVALID,
            ["'x' occurs twice"],
            id="repeated file",
        ),
        pytest.param(
            manifest_bytes(lambda text: b'{"more": ' + DEEP + b", " + text[1:]),
            INVALID,
            ["20 levels"],
            id="nested deeply",
        ),
        pytest.param(entry("schema_version", value=0), SCHEMA, ["found schema version 0"], id="v0"),
        pytest.param(entry("schema_version", value=2**70), SCHEMA, ["version"], id="v2^70"),
        pytest.param(entry("schema_version", value=LONG), INVALID, ["version"], id="v10^400"),
        pytest.param(entry("schema_version", value="1"), INVALID, ["'1'"], id="version as text"),
        pytest.param(entry("schema_version", value=1.0), INVALID, ["1.0"], id="version 1.0"),
        pytest.param(entry("n_snps", value=True), INVALID, ["True", "n_snps"], id="n_snps true"),
        pytest.param(entry("n_snps", value=12.0), INVALID, ["12.0", "n_snps"], id="n_snps 12.0"),
        *(
            pytest.param(entry("n_snps", value=n), INVALID, [f"at most {MAX_SNPS}"], id=f"{n:.0e}")
            for n in (10**12, 2**63, 2**64, MAX_SNPS + 1)
        ),
        pytest.param(entry("n_snps", value=LONG), INVALID, ["n_snps"], id="n_snps 10^400"),
        pytest.param(
            entry("n_snps", value=MAX_SNPS), INVALID, ["found 12 rows"], id="n_snps without rows"
        ),
        pytest.param(entry("link", "alpha", value=LONG), INVALID, ["alpha"], id="α 10^400"),
        pytest.param(entry("link", "alpha", value=True), INVALID, ["alpha"], id="α true"),
        pytest.param(entry("folds", 0, "scale", value=-10.0), INVALID, ["scale"], id="scale < 0"),
        pytest.param(entry("folds", 0, "scale", value=False), INVALID, ["scale"], id="scale bool"),
        pytest.param(entry("folds", 0, "scale", value=LONG), INVALID, ["scale"], id="scale 10^400"),
        pytest.param(entry("folds", 0, "center", value=LONG), INVALID, ["center"], id="center"),
        pytest.param(entry("folds", 0, "fold", value=10**9), INVALID, ["fold"], id="fold 10^9"),
        pytest.param(
            entry("folds", value=["x"]), INVALID, ["'folds' entry 1"], id="a fold as text"
        ),
        pytest.param(entry("folds", value={"0": 1}), INVALID, ["folds"], id="folds as object"),
        pytest.param(
            folds(lambda found: [found[0] | {"fold": n} for n in range(1, 1002)]),
            INVALID,
            ["'folds' entry 1001", "at most 1000"],
            id="1001 folds",
        ),
        pytest.param(folds(lambda found: found * 4000), INVALID, ["too large"], id="12,000 folds"),
        pytest.param(
            folds(lambda found: [found[0], found[1] | {"model": found[0]["model"]}, found[2]]),
            INVALID,
            ["one model each"],
            id="two folds, one model",
        ),
        pytest.param(folds(lambda found: found[:2]), INVALID, ["of its folds"], id="2 of 3 folds"),
        pytest.param(
            in_turn(
                *(
                    column(SALIENCY, f, TINY.saliency_columns()["saliency"])
                    for f in ("fold_01", "fold_02")
                ),
                folds(lambda found: found[:2]),
            ),
            INVALID,
            ["found predictions"],
            id="2 of 3 folds, and their saliency",
        ),
        pytest.param(entry("ensemble", value=""), INVALID, ["no SHA-256"], id="ensemble ''"),
        pytest.param(
            entry("ensemble", value="folds/fold_01.onnx"),
            INVALID,
            ["found predictions of shape"],
            id="a fold as ensemble",
        ),
        pytest.param(
            entry("ensemble", value="snps.parquet"), INVALID, ["not an ONNX model"], id="a table"
        ),
        pytest.param(entry("ensemble", value=MANIFEST), INVALID, ["no SHA-256"], id="itself"),
        pytest.param(entry("files", MANIFEST, value="0" * 64), ALTERED, [], id="its own digest"),
        pytest.param(
            entry("files", ENSEMBLE, value="A" * 64), INVALID, ["64 hexadecimal"], id="capitals"
        ),
        pytest.param(entry("files", ENSEMBLE, value="0" * 65), INVALID, ["64"], id="65 digits"),
        pytest.param(entry("files", ENSEMBLE, value="٠" * 64), INVALID, ["64"], id="other digits"),
        pytest.param(entry("files", ENSEMBLE, value=0), INVALID, ["expected str"], id="number"),
        pytest.param(entry("files", ENSEMBLE, value="0" * 64), ALTERED, ["SHA-256"], id="digest"),
        pytest.param(entry("files", value=[]), INVALID, ["files"], id="files as list"),
        pytest.param(
            entry("name", value="\x1b]0;x\x07"), INVALID, ["control character"], id="escape"
        ),
        pytest.param(entry("unit", value="\x9b2J"), INVALID, ["control character"], id="C1"),
        pytest.param(entry("trait", value="\ud800"), INVALID, ["control"], id="half a character"),
        pytest.param(entry("x", value={"\x1b": [1]}), INVALID, ["control"], id="escape in a name"),
        pytest.param(
            entry("folds", 1, "scale", value=99.0), INVALID, ["center and scale"], id="other scale"
        ),
        pytest.param(
            entry("folds", 1, "center", value=9.0), INVALID, ["center"], id="other center"
        ),
        pytest.param(entry("link", "alpha", value=0.9), INVALID, ["link"], id="other α"),
    ],
)
def test_manifests(refused, lie, error, words):
    refused(lie, error, words)


# --- tables ------------------------------------------------------------------------------------

NAN, INFINITY = float("nan"), float("inf")


def not_utf8(n: int) -> pa.Array:
    offsets, data = np.arange(n + 1, dtype=np.int32), np.full(n, 0xFF, np.uint8)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data))


def similar(**changed):
    """A table of similarity for the tiny bundle, of two of its SNPs, with something else in it."""
    columns = {"snp": [0, 5], "mean": [16, 16], "variance": [256.0, 256.0], "pc_001": [1, -1]}
    entry_of_it = {"components": 1, "scale": 0.5, **changed.pop("entry", {})}
    of_training = {"distance": [0.1, 0.2], "heterozygosity": [0.0, 0.5], "call_rate": [0.5, 1.0]}
    of_training |= {name: changed.pop(name) for name in of_training.keys() & changed.keys()}

    def write(folder):
        for name, values in of_training.items():
            if values is not None:
                add = lambda t, n=name, v=values: t.append_column(n, pa.array(v))  # noqa: E731
                table(OUT_OF_FOLD, add)(folder)
        file("similarity.parquet", parquet(pa.table(columns | changed)))(folder)
        entry("similarity", value=entry_of_it)(folder)

    return write


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="all columns"),
        pytest.param({"heterozygosity": None, "call_rate": None}, id="of an earlier release"),
        pytest.param(
            {"heterozygosity": [0.0, None], "call_rate": [0.5, 0.0]}, id="a line without calls"
        ),
    ],
)
def test_a_good_table_of_similarity(bundle, genotypes, capsys, changed):
    similar(**changed)(bundle)
    assert main(["predict", str(genotypes), "--model", str(bundle)]) == 0
    assert "distance_percentile" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(similar(snp=[0, 12]), ["'snp'", "outside 0 to 11"], id="SNP 13 of 12"),
        pytest.param(similar(snp=[5, 5]), ["each once"], id="a SNP twice"),
        pytest.param(similar(snp=[0, None]), ["'snp'", "missing values"], id="no SNP"),
        pytest.param(similar(snp=[0.0, 5.0]), ["'snp'", "whole"], id="SNPs as fractions"),
        pytest.param(similar(mean=[16, 33]), ["'mean'", "outside 0 to 32"], id="mean code > 2"),
        pytest.param(similar(variance=[256.0, 0.0]), ["'variance'"], id="no variance"),
        pytest.param(similar(variance=[256.0, NAN]), ["'variance'", "finite"], id="variance NaN"),
        pytest.param(similar(pc_001=[64, 0]), ["outside -63 to 63"], id="large loading"),
        pytest.param(similar(pc_001=["1", "1"]), ["'pc_001'", "whole"], id="loadings as text"),
        pytest.param(similar(entry={"components": 2}), ["'pc_002'"], id="no second component"),
        pytest.param(similar(entry={"components": 10**9}), ["components"], id="10^9 components"),
        pytest.param(similar(entry={"components": True}), ["components"], id="true components"),
        pytest.param(similar(entry={"scale": 0}), ["'scale'"], id="scale 0"),
        pytest.param(similar(entry={"scale": 10**400}), ["'scale'"], id="huge scale"),
        pytest.param(similar(distance=[None, None]), ["'distance'"], id="no distances"),
        pytest.param(similar(distance=[0.1, INFINITY]), ["'distance'"], id="infinite distance"),
        pytest.param(similar(distance=[0.1, -0.1]), ["'distance'"], id="distance < 0"),
        pytest.param(similar(distance=None), ["'distance'"], id="no column of distances"),
        pytest.param(similar(call_rate=[0.5, NAN]), ["'call_rate'", "0 to 1"], id="call rate NaN"),
        pytest.param(similar(call_rate=[0.5, None]), ["'call_rate'"], id="no call rate"),
        pytest.param(similar(call_rate=[-0.1, 1.0]), ["'call_rate'"], id="call rate < 0"),
        pytest.param(similar(call_rate=[0.5, INFINITY]), ["'call_rate'"], id="infinite call rate"),
        pytest.param(similar(call_rate=["1", "1"]), ["expected numbers"], id="call rate as text"),
        pytest.param(similar(call_rate=[0.0, 0.0]), ["'heterozygosity'"], id="nothing called"),
        pytest.param(
            similar(heterozygosity=[0.0, 1.5]), ["'heterozygosity'", "0 to 1"], id="het. > 1"
        ),
        pytest.param(similar(heterozygosity=[0.0, NAN]), ["'heterozygosity'"], id="het. NaN"),
        pytest.param(similar(heterozygosity=[0.0, None]), ["'heterozygosity'"], id="no het."),
        pytest.param(
            similar(heterozygosity=None), ["some of the columns", "all or none"], id="one of two"
        ),
        pytest.param(
            in_turn(similar(), entry("similarity", value=None)),
            ["no entry 'similarity'"],
            id="no entry",
        ),
        pytest.param(
            entry("similarity", value={"components": 1, "scale": 0.5}),
            ["similarity.parquet"],
            id="no table",
        ),
        pytest.param(
            in_turn(similar(), file("similarity.parquet", b"PAR1PAR1")),
            ["Parquet"],
            id="no Parquet",
        ),
    ],
)
def test_tables_of_similarity(refused, lie, words):
    refused(lie, INVALID, words)


@pytest.mark.parametrize(
    "errors_of_it", ["text", [], {"mae_ratio": {}}, {"mae_ratio": 10**400}, {"flagged": [1]}]
)
def test_figures_that_cannot_be_read(refused, errors_of_it):
    refused(similar(entry={"errors": errors_of_it}), INVALID, ["'similarity'", "'errors'"])


def test_a_ratio_without_its_interval_is_not_told(bundle, genotypes, capsys):
    group = {"n": 1, "mae": 1.0, "rmse": None, "pcc": None}
    ratio = {"flagged": group, "others": group, "mae_ratio": 2.0, "mae_ratio_low": None}
    similar(distance=[0.0, 0.0], entry={"errors": ratio})(bundle)
    assert main(["predict", str(genotypes), "--model", str(bundle)]) == 0
    assert "in cross-validation" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(column(SNPS, "freq_1", [NAN] * 12), ["'freq_1'", "not finite"], id="NaN"),
        pytest.param(column(SNPS, "freq_1", [-0.5] * 12), ["add up"], id="frequency < 0"),
        pytest.param(column(SNPS, "freq_1", [1e308] * 12), ["add up"], id="frequency 10^308"),
        pytest.param(column(SALIENCY, "fold_01", [INFINITY] * 12), ["not finite"], id="infinite"),
        pytest.param(column(SALIENCY, "effect_0", [NAN] * 12), ["not finite"], id="NaN effect"),
        pytest.param(column(SALIENCY, "rank", [1e300] * 12), ["ranks"], id="rank 10^300"),
        pytest.param(
            column(SALIENCY, "rank", [None] * 12), ["'rank' has missing values"], id="no ranks"
        ),
        pytest.param(
            column(SALIENCY, "rank", list(range(12, 0, -1))), ["order"], id="ranks turned round"
        ),
        pytest.param(
            column(SALIENCY, "percentile", [50.0] * 12), ["percentiles"], id="percentiles"
        ),
        pytest.param(
            column(SALIENCY, "centered_saliency", [-1.0] * 12), ["negative"], id="saliency < 0"
        ),
        pytest.param(
            in_turn(*(column(SALIENCY, f"fold_0{fold}", [1e9] * 12) for fold in (1, 2, 3))),
            ["of its folds"],
            id="folds 10^9",
        ),
        pytest.param(column(OUT_OF_FOLD, "residual", [NAN] * 2), ["not finite"], id="NaN residual"),
        pytest.param(
            column(OUT_OF_FOLD, "digest", ["a", None]), ["missing values"], id="no digest"
        ),
        pytest.param(column(OUT_OF_FOLD, "fold", ["1", "1"]), ["expected numbers"], id="fold text"),
        pytest.param(
            column(SNPS, "id", [[name] for name in TINY.ids]), ["expected text"], id="ids in lists"
        ),
        pytest.param(column(SNPS, "id", not_utf8(12)), ["UTF8"], id="ids that are not UTF-8"),
        pytest.param(
            column(SNPS, "id", ["\x1b[2J", *TINY.ids[1:]]), ["control"], id="escape in an id"
        ),
        pytest.param(column(SNPS, "id", ["a\tb", *TINY.ids[1:]]), ["control"], id="tab in an id"),
        pytest.param(
            column(SNPS, "other_allele", ["G" * 1001] * 12), ["1000 characters"], id="long allele"
        ),
        pytest.param(column(SNPS, "position", [0.5] * 12), ["whole numbers"], id="position 0.5"),
        pytest.param(
            table(SNPS, lambda t: t.append_column("id", pa.array(TINY.ids))),
            ["or several"],
            id="two columns",
        ),
        pytest.param(table(OUT_OF_FOLD, lambda t: t.slice(0, 0)), ["0 rows"], id="no rows"),
        pytest.param(file(SNPS, b""), ["Parquet"], id="empty"),
        pytest.param(file(SNPS, b"PAR1"), ["Parquet"], id="four bytes"),
        pytest.param(file(SNPS, b"PAR1\xff\xff\xff\xffPAR1"), ["Parquet"], id="footer too long"),
        pytest.param(file(SNPS, parquet(TINY.snps().to_arrow())[:-9]), ["Parquet"], id="cut off"),
        pytest.param(file(SNPS, b"id,chromosome\n"), ["Parquet"], id="text"),
    ],
)
def test_tables(refused, lie, words):
    refused(lie, INVALID, words)


def turned_round(saliency: pa.Table) -> pa.Table:
    """Every SNP with the figures of another one."""
    return saliency.take(list(range(11, -1, -1))).set_column(0, "id", pa.array(TINY.ids))


FOREIGN_EFFECTS = [
    pytest.param(
        lambda t: Tiny(weights=-2 * TINY.weights).saliency_columns(),
        ["weights give"],
        id="another trait's",
    ),
    pytest.param(
        lambda t: t.set_column(
            t.column_names.index("effect_0"), "effect_0", pa.array([1e300] + [0.0] * 11)
        ),
        ["found the effect 1e+300", TINY.ids[0], "homozygous_0"],
        id="10^300",
    ),
    pytest.param(turned_round, ["weights give"], id="in another order"),
    pytest.param(
        lambda t: t.rename_columns(
            [{"effect_0": "effect_2", "effect_2": "effect_0"}.get(c, c) for c in t.column_names]
        ),
        ["weights give"],
        id="codes swapped",
    ),
]


@pytest.mark.parametrize(("change", "words"), FOREIGN_EFFECTS)
def test_effects_that_are_not_those_of_the_weights(refused, change, words):
    refused(table(SALIENCY, change), INVALID, [*words, SALIENCY])


@pytest.mark.parametrize(
    "command", [["predict", "G"], ["check", "G"], ["explain", "G", "--sample", "s0"], ["--snp"], []]
)
def test_every_command_that_tells_effects_checks_them(bundle, genotypes, capsys, command):
    table(SALIENCY, lambda t: Tiny(weights=-2 * TINY.weights).saliency_columns())(bundle)
    given = [str(genotypes) if word == "G" else word for word in command]
    if command in ([], ["--snp"]):
        given = ["explain", *(["--snp", TINY.ids[0]] if command else [])]
    assert main([*given, "--model", str(bundle)]) == INVALID.exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "as the model's weights give" in captured.err


def test_the_effects_of_the_snp_that_is_shown_are_checked(tmp_path, capsys):
    """Also where they are small and its place is not among those that are always tried."""
    many = Tiny(n_snps=500)
    folder = many.write(tmp_path / "many")
    effects = load_bundle(folder).saliency.effects
    by_size = np.argsort(np.abs(effects).max(axis=1)).tolist()
    snp = next(at for at in by_size if at not in sampled_snps(effects))
    wrong = effects[:, CHANNEL_CODES.index(0)].copy()
    wrong[snp] += 0.01
    column(SALIENCY, "effect_0", wrong)(folder)
    assert main(["explain", "--snp", many.ids[snp - 1], "--model", str(folder)]) == 0
    assert main(["explain", "--snp", many.ids[snp], "--model", str(folder)]) == INVALID.exit_code
    assert f"of SNP {many.ids[snp]}, expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"effect_0_p95": [1e300] * 12}, ["1e+300", "at most"], id="10^300"),
        pytest.param({"effect_2_p05": [9.0] * 12}, ["above the 95th"], id="in the wrong order"),
        pytest.param({"effect_2_p05": [NAN] * 12}, ["not finite"], id="NaN"),
        pytest.param({"effect_2_p05": None}, ["all or none"], id="one is lacking"),
    ],
)
def test_ranges_of_effects(refused, change, words):
    def lie(_):
        saliency = TINY.saliency_columns(ranges=True)
        for name, values in change.items():
            at = saliency.column_names.index(name)
            saliency = saliency.remove_column(at)
            if values is not None:
                saliency = saliency.append_column(name, pa.array(values))
        return saliency

    refused(table(SALIENCY, lie), INVALID, words)


def test_further_columns_are_not_unpacked(bundle):
    table(SNPS, lambda t: t.append_column("more", not_utf8(12)))(bundle)
    assert load_bundle(bundle).snps.ids == tuple(TINY.ids)


# --- models ------------------------------------------------------------------------------------

FLOAT_MAX = np.float32(3e38)


def training_info(proto):
    proto.training_info.add()


def sparse_tensor(proto):
    proto.graph.sparse_initializer.add().dims.append(3)


def text_tensor(proto):
    proto.graph.initializer.append(helper.make_tensor("t", TensorProto.STRING, [1], [b"text"]))


def short_tensor(proto):
    make.tensor(proto, "ensemble_weights").dims[:] = [10**6, 10**6]


def escape_in_a_name(proto):
    proto.graph.node[0].name = "\x1b[2J"
    proto.graph.node[0].input[0] = "\x1b[2J"


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(file(ENSEMBLE, b""), ["not an ONNX model"], id="empty"),
        pytest.param(file(ENSEMBLE, b"import os\n" * 9), ["not an ONNX model"], id="text"),
        pytest.param(file(ENSEMBLE, TINY.ensemble()[:-9]), ["cut off"], id="cut off"),
        pytest.param(file(ENSEMBLE, TINY.ensemble() * 2), ["2 graphs"], id="twice"),
        pytest.param(
            file(ENSEMBLE, b"\x3a\x80\x89\x7a" + b"\x5a\x00" * 10**6), ["parts"], id="10^6 inputs"
        ),
        pytest.param(make.external("../outside"), ["external data"], id="external data"),
        pytest.param(make.external("/etc/passwd"), ["external data"], id="absolute external data"),
        pytest.param(model(make.function), ["functions"], id="functions"),
        pytest.param(model(training_info), ["training information"], id="training information"),
        pytest.param(model(sparse_tensor), ["sparse"], id="sparse tensor"),
        pytest.param(model(text_tensor), ["text"], id="text tensor"),
        pytest.param(model(short_tensor), ["shape"], id="a tensor larger than its bytes"),
        pytest.param(
            operator("Gelu", domain="com.microsoft"), ["com.microsoft"], id="other domain"
        ),
        pytest.param(
            model(lambda proto: proto.opset_import.add(domain="my.own", version=1)),
            ["my.own"],
            id="declared domain",
        ),
        pytest.param(operator("ExecuteThis"), ["'ExecuteThis'"], id="no such operator"),
        pytest.param(
            operator("If", then_branch=make.branch(), else_branch=make.branch()), ["'If'"], id="If"
        ),
        pytest.param(operator("Loop", body=make.branch()), ["'Loop'"], id="Loop"),
        pytest.param(
            operator("Scan", body=make.branch(), num_scan_inputs=1), ["'Scan'"], id="Scan"
        ),
        pytest.param(
            operator("Relu", body=make.branch()), ["a graph within a node"], id="graph in a Relu"
        ),
        pytest.param(operator("Expand", "shape"), ["'Expand'"], id="Expand"),
        pytest.param(operator("Tile", "repeats"), ["'Tile'"], id="Tile"),
        pytest.param(operator("ConstantOfShape"), ["'ConstantOfShape'"], id="ConstantOfShape"),
        pytest.param(operator("Range"), ["'Range'"], id="Range"),
        pytest.param(operator("RandomNormalLike"), ["'RandomNormalLike'"], id="random numbers"),
        pytest.param(
            make.initializer("ensemble_weights", lambda w: np.where(w == w.max(), np.nan, w)),
            ["not finite"],
            id="NaN weight",
        ),
        pytest.param(
            make.initializer("ensemble_bias", lambda b: b * np.float32(INFINITY)),
            ["not finite"],
            id="infinite bias",
        ),
        pytest.param(
            make.initializer("ensemble_weights", lambda w: np.full_like(w, FLOAT_MAX)),
            ["not finite"],
            id="weights whose sum is infinite",
        ),
        pytest.param(
            behind_prediction(
                helper.make_node("Sub", ["before", "before"], ["zero"]),
                helper.make_node("Div", ["before", "zero"], ["prediction"]),
            ),
            ["not finite"],
            id="a division by zero",
        ),
        pytest.param(
            operator("Neg"), ["predictions are not those that its weights"], id="other predictions"
        ),
        pytest.param(operator("Transpose"), ["shape (3, 1), expected (1, 3)"], id="transposed"),
        pytest.param(
            model(make.renamed_output), ["output 'prediction'", "'height'"], id="no prediction"
        ),
        pytest.param(model(make.other_type), ["float32", "tensor(double)"], id="double"),
        pytest.param(model(make.without_weights), ["cannot be run", "weights"], id="no weights"),
        pytest.param(
            model(make.other_weights), ["found weights (3,)", "expected (12, 4, 3)"], id="weights"
        ),
        pytest.param(model(escape_in_a_name), ["cannot be run"], id="escape in a name"),
        pytest.param(
            file(ENSEMBLE, Tiny(n_snps=13).ensemble()), ["(samples, 12)", "13"], id="13 SNPs"
        ),
        pytest.param(
            file(ENSEMBLE, Tiny(n_folds=2).ensemble()), ["(1, 2), expected (1, 3)"], id="2 folds"
        ),
    ],
)
def test_models(refused, lie, words):
    refused(lie, INVALID, [ENSEMBLE if "not finite" not in words else "", *words])


def test_fold_models_are_checked_where_they_are_run(refused, tmp_path):
    folder = TINY_NOT_AFFINE.write(tmp_path / "folds")
    lie = model(lambda proto: proto.graph.node.add(op_type="Loop"), "folds/fold_02.onnx")
    refused(lie, INVALID, ["fold_02.onnx", "'Loop'"], folder)


def test_fold_models_of_another_rank(refused, tmp_path):
    folder = TINY_NOT_AFFINE.write(tmp_path / "folds")
    lie = file("folds/fold_02.onnx", Tiny(n_folds=1).ensemble())
    refused(lie, INVALID, ["fold_02.onnx", "shape (1, 1), expected (1,)"], folder)


def test_a_model_is_tried_out_before_a_sample_comes(bundle):
    entry("folds", 0, "center", value=0.0)(bundle)
    with pytest.raises(errors.InvalidBundle, match="predictions"):
        Scorer(load_bundle(bundle))


# --- what would fill the memory ----------------------------------------------------------------


def broadcast(n: int):
    """A sum of a row and a column: n² numbers out of 2 n."""
    return behind_prediction(
        helper.make_node("Add", ["row", "column"], ["sums"]),
        helper.make_node("ReduceMax", ["sums"], ["most"], keepdims=0),
        helper.make_node("Min", ["before", "most"], ["prediction"]),
        constants={
            "row": np.ones((1, n), np.float32),
            "column": np.ones((n, 1), np.float32),
        },
    )


BOMB_ROWS = 1_000_000

#: The memory of a process of its own at its most, as if the machine had 1 GiB; what the kernel
#: adds up at a process's end would count the test's memory too.
PREDICT = """
import os, pathlib, re, sys
from snpredict.cli import main
machine = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1 << 18}
sysconf = os.sysconf
os.sysconf = lambda name: machine.get(name) or sysconf(name)
code = main(["predict", sys.argv[1], "--model", sys.argv[2]])
status = pathlib.Path("/proc/self/status").read_text()
print(code, re.search(r"VmHWM:\\s+(\\d+) kB", status)[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
@pytest.mark.parametrize(
    ("lie", "words"),
    [
        pytest.param(
            in_turn(entry("n_snps", value=BOMB_ROWS), table(SNPS, make.repeated(BOMB_ROWS))),
            ["snps.parquet declares 1000000 rows in"],
            id="one SNP, a million times",
        ),
        pytest.param(
            table(OUT_OF_FOLD, make.repeated(BOMB_ROWS)),
            ["out_of_fold.parquet declares 1000000 rows in"],
            id="one sample, a million times",
        ),
        pytest.param(
            in_turn(entry("n_snps", value=BOMB_ROWS), make.declared_rows(SNPS, 12, BOMB_ROWS)),
            ["declares 1000000 rows in"],
            id="a million rows that are not there",
        ),
        pytest.param(
            make.declared_rows(OUT_OF_FOLD, 2, 2**62),
            [f"declares {2**62} rows in"],
            id="2^62 rows that are not there",
        ),
        pytest.param(
            make.declared_rows(OUT_OF_FOLD, 2, 900),
            ["row groups do not have 900 rows"],
            id="900 rows that are not there",
        ),
        pytest.param(
            column(SNPS, "id", ["A" * (1 << 26), *TINY.ids[1:]]),
            ["column 1 unpacks to more than 12 rows of 1024 bytes"],
            id="an id of 64 MiB",
        ),
        pytest.param(broadcast(20_000), ["cannot be run", "memory"], id="sums of 1.6 GB"),
        pytest.param(broadcast(500_000), ["cannot be run", "memory"], id="sums of 1 TB"),
    ],
)
def test_bombs(bundle, genotypes, lie, words):
    lie(bundle)
    found = subprocess.run(
        [sys.executable, "-c", PREDICT, genotypes, bundle], capture_output=True, text=True
    )
    code, memory = found.stdout.split()
    assert int(code) == INVALID.exit_code
    assert [word for word in words if word not in found.stderr] == [], found.stderr
    assert len([line for line in found.stderr.splitlines() if line]) <= 2
    # Python with its libraries takes some 130,000 kB.
    assert int(memory) < 400_000


# --- properties --------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.data())
@pytest.mark.parametrize("name", [MANIFEST, SNPS, SALIENCY, OUT_OF_FOLD, ENSEMBLE])
def test_damaged_files_are_refused_or_predict(written, name, data):
    content = data.draw(mutations((written / name).read_bytes()))
    with tempfile.TemporaryDirectory() as temporary:
        folder = shutil.copytree(written, Path(temporary) / "bundle")
        if name == MANIFEST:
            (folder / name).write_bytes(content)
        else:
            file(name, content)(folder)
        try:
            predicted = Scorer(load_bundle(folder), 1).predict(Genotypes(TINY.draw(2)))
        except errors.SnpredictError as error:
            assert len(error.message.splitlines()) == 1
            return
    assert np.isfinite(predicted).all()


def test_every_operator_of_the_shipped_models_is_allowed():
    for folder in find_bundles().values():
        manifest = json.loads((folder / MANIFEST).read_text())
        models = [manifest["ensemble"], *(fold["model"] for fold in manifest["folds"])]
        for name in filter(None, models):
            check_model((folder / name).read_bytes(), folder / name)
