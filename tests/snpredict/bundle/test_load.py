import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from snpredict import errors
from snpredict.bundle import load as bundles
from snpredict.bundle.load import find_bundles, list_bundles, load_bundle
from snpredict.bundle.manifest import MANIFEST
from tests.bundles import Tiny
from tests.hostile import make

TINY = Tiny()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return TINY.write(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def copy(written, tmp_path):
    """A bundle of the test's own to damage."""
    return shutil.copytree(written, tmp_path / "tiny")


def edit_manifest(folder, change):
    """Change the manifest as Python data; its own digest is not recorded anywhere."""
    path = folder / MANIFEST
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


# --- a good bundle -----------------------------------------------------------------------------


def test_what_was_written_is_read(written):
    bundle = load_bundle(written)
    assert (bundle.manifest.name, bundle.manifest.trait, bundle.manifest.unit) == (
        "tiny",
        "height",
        "cm",
    )
    assert bundle.snps.ids == tuple(TINY.ids)
    assert bundle.snps.chromosome[0] == "Gm01"
    assert bundle.snps.chromosome[-1] == "Gm02"
    assert bundle.snps.position[:2] == (1000, 2000)
    np.testing.assert_array_equal(bundle.snps.frequencies, TINY.frequencies)
    assert [fold.name for fold in bundle.manifest.folds] == ["fold_01", "fold_02", "fold_03"]
    assert bundle.manifest.folds[2].center == TINY.center[2]
    assert bundle.saliency.per_fold.shape == (12, 3)
    assert sorted(bundle.saliency.rank) == list(range(1, 13))
    assert bundle.files["ensemble.onnx"] == TINY.ensemble()
    assert set(bundle.files) == set(bundle.manifest.files)


def test_columns_without_any_value_are_read(tmp_path):
    folder = TINY.write(tmp_path / "b")
    for name in ("chromosome", "position", "counted_allele", "other_allele"):
        make.column("snps.parquet", name, pa.nulls(12))(folder)
    bundle = load_bundle(folder)
    assert bundle.snps.chromosome == bundle.snps.position == (None,) * 12


def test_files_that_the_manifest_does_not_name_are_not_looked_at(copy):
    (copy / "notes.onnx").write_bytes(b"anything")
    (copy / "folder").mkdir()
    assert "notes.onnx" not in load_bundle(copy).files


# --- finding -----------------------------------------------------------------------------------


@pytest.fixture
def shipped(written, tmp_path, monkeypatch):
    """A package folder with a shipped model "tiny", and one that is broken."""
    package = tmp_path / "package"
    shutil.copytree(written, package / "models" / "tiny")
    shutil.copytree(written, package / "models" / "tinier")
    (package / "models" / "tinier" / MANIFEST).write_text("{}")
    monkeypatch.setattr(bundles, "_PACKAGE", package)
    return package


def test_shipped_bundles_are_found_by_name(shipped):
    assert list(find_bundles()) == ["tinier", "tiny"]
    assert load_bundle("tiny").path == shipped / "models" / "tiny"


def test_a_broken_bundle_does_not_hide_the_others(shipped):
    listed, broken = list_bundles()
    assert [manifest.name for manifest, _ in listed] == ["tiny"]
    assert listed[0][1] == load_bundle("tiny").size_bytes
    assert [type(error) for error in broken] == [errors.InvalidBundle]


def test_models_next_to_an_installed_package_are_somebody_elses(shipped, written):
    beside = shipped.parent / "models" / "stranger"
    shutil.copytree(written, beside)
    assert "stranger" not in find_bundles()
    (shipped.parent / "pyproject.toml").touch()
    assert find_bundles()["stranger"] == beside


def test_unknown_model_names_the_known_ones(shipped):
    with pytest.raises(errors.UnknownModel, match=r"'tinny'.*tinier, tiny") as caught:
        load_bundle("tinny")
    assert caught.value.hint.startswith("did you mean tiny")


# --- damaged and hostile -----------------------------------------------------------------------

FILES = ["ensemble.onnx", "snps.parquet", "folds/fold_02.onnx", "MODEL_CARD.md"]


@pytest.mark.parametrize("name", FILES)
def test_missing_file(copy, name):
    (copy / name).unlink()
    with pytest.raises(errors.BundleFileMissing, match=name):
        load_bundle(copy)


@pytest.mark.parametrize("name", FILES)
def test_altered_file_is_told_with_both_digests(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(errors.BundleFileAltered) as caught:
        load_bundle(copy)
    digests = [word for word in caught.value.message.replace(",", " ").split() if len(word) == 64]
    assert name in caught.value.message
    assert len(set(digests)) == 2


def test_folder_without_manifest(tmp_path):
    with pytest.raises(errors.BundleFileMissing, match=MANIFEST):
        load_bundle(tmp_path)


def test_unknown_schema_is_told_first(copy):
    def change(manifest):
        manifest.clear()
        manifest["schema_version"] = 99

    edit_manifest(copy, change)
    with pytest.raises(errors.UnknownSchema, match="found schema version 99, expected 1 or 2"):
        load_bundle(copy)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"null", b'{"schema_version": 1', b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000],
    ids=["empty", "list", "null", "cut off", "not UTF-8", "NaN", "nested too deep"],
)
def test_manifest_that_is_no_json_object(copy, text):
    (copy / MANIFEST).write_bytes(text)
    with pytest.raises(errors.InvalidBundle, match=MANIFEST):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["schema_version"], True, "schema_version"),
        (["n_snps"], "12", "'12'.*n_snps"),
        (["n_snps"], 0, "n_snps.*more than 0"),
        (["n_snps"], 13, "found 12 rows, expected 13"),
        (["link", "alpha"], -1, "'link'.*alpha"),
        (["link", "alpha"], 1e999, "Infinity"),
        (["trait"], None, "trait"),
        (["channels"], ["a", "b", "c", "d"], "channels"),
        (["folds"], [], "folds"),
        (["folds", 1, "fold"], 1, r"\[1, 1, 3\]"),
        (["folds", 0, "scale"], 0, "'folds' entry 1.*scale"),
        (["folds", 0, "center"], "90", "'folds' entry 1.*center"),
        (["folds", 0, "model"], "folds/other.onnx", "no SHA-256 for folds/other.onnx"),
        (["ensemble"], 3, "ensemble"),
        (["metrics", "pcc_mean"], "high", "pcc_mean"),
        (["files", "../manifest.json"], "0" * 64, "paths within"),
        (["files", "/etc/passwd"], "0" * 64, "paths within"),
        (["files", "folds/../../x"], "0" * 64, "paths within"),
        (["files", "C:\\x"], "0" * 64, "paths within"),
        (["files", ""], "0" * 64, "paths within"),
        (["files", "ensemble.onnx"], "abc", "64 hexadecimal"),
    ],
    ids=lambda value: "/".join(map(str, value)) if isinstance(value, list) else str(value)[:20],
)
def test_manifest_with_a_wrong_entry(copy, path, value, words):
    def change(manifest):
        for key in path[:-1]:
            manifest = manifest[key]
        manifest[path[-1]] = value

    edit_manifest(copy, change)
    with pytest.raises(errors.InvalidBundle, match=words):
        load_bundle(copy)


@pytest.mark.parametrize(
    "entry", ["schema_version", "name", "n_snps", "kind", "task", "link", "folds", "files"]
)
def test_manifest_without_an_entry(copy, entry):
    edit_manifest(copy, lambda manifest: manifest.pop(entry))
    with pytest.raises(errors.InvalidBundle, match=f"no entry '{entry}'"):
        load_bundle(copy)


def test_link_out_of_the_folder_is_refused(copy, tmp_path):
    (copy / "MODEL_CARD.md").rename(tmp_path / "card")
    (copy / "MODEL_CARD.md").symlink_to(tmp_path / "card")
    with pytest.raises(errors.InvalidBundle, match=r"MODEL_CARD\.md is a link"):
        load_bundle(copy)


def test_directory_in_place_of_a_file(copy):
    (copy / "MODEL_CARD.md").unlink()
    (copy / "MODEL_CARD.md").mkdir()
    with pytest.raises(errors.BundleFileMissing):
        load_bundle(copy)


SNPS, SALIENCY, OUT_OF_FOLD = "snps.parquet", "saliency.parquet", "out_of_fold.parquet"


def without(name: str, column: str):
    return make.table(name, lambda table: table.drop_columns(column))


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (make.table(SNPS, lambda table: table.slice(0, 11)), "found 11 rows, expected 12"),
        (without(SNPS, "freq_1"), "no column 'freq_1'"),
        (make.column(SNPS, "id", ["a"] * 12), "more than once"),
        (make.column(SNPS, "id", [None, *TINY.ids[1:]]), "'id' has missing values"),
        (make.column(SNPS, "position", ["1"] * 12), "position.*whole numbers"),
        (make.column(SNPS, "freq_0", [9.0] * 12), "do not add up to 1"),
        (make.column(SALIENCY, "id", TINY.ids[::-1]), "in their order"),
        (make.column(SALIENCY, "rank", [1] * 12), "ranks"),
        (make.column(SALIENCY, "saliency", [float("nan")] * 12), "not finite"),
        (make.column(SALIENCY, "saliency", ["x"] * 12), "expected numbers"),
        (without(SALIENCY, "fold_02"), "no column 'fold_02'"),
        (without(OUT_OF_FOLD, "digest"), "no column 'digest'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tables_that_do_not_fit(copy, lie, words):
    lie(copy)
    with pytest.raises(errors.InvalidBundle, match=words):
        load_bundle(copy)


def test_table_that_is_not_parquet(copy):
    import hashlib

    (copy / "snps.parquet").write_bytes(b"PAR1 nonsense PAR1")
    digest = hashlib.sha256(b"PAR1 nonsense PAR1").hexdigest()
    edit_manifest(copy, lambda manifest: manifest["files"].update({"snps.parquet": digest}))
    with pytest.raises(errors.InvalidBundle, match="not readable as Parquet"):
        load_bundle(copy)
