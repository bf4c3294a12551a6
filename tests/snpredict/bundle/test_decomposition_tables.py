"""A bundle with the tables of its decomposition: kept, read again, and refused where they lie."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from snpredict.api import load
from snpredict.bundle.decomposition_tables import DecompositionTables
from snpredict.bundle.entries import DecompositionEntry
from snpredict.bundle.load import load_bundle
from snpredict.bundle.write import add_decomposition
from snpredict.errors import InvalidBundle
from snpredict.names import squared
from snpredict.terminal.screens import show_pair, show_snp
from tests.bundles import Tiny

TINY = Tiny(units=2)
ENTRY = DecompositionEntry(100, 0, {"additive": 1.0, "genetic": 1.5}, {"additive": 0.1})


def tables(**more) -> DecompositionTables:
    loci = np.abs(np.random.default_rng(1).normal(size=(12, 6)))
    loci[3, 0] = -0.5
    found = DecompositionTables(
        loci,
        np.array([[1, 4], [0, 3], [3, 4]]),
        np.array([[-2.0, 0.5, 0.9], [1.0, 0.4, 0.5], [0.3, 0.3, 0.1]]),
        np.array([0.0, 0.25, 1.0]),
    )
    return replace(found, **more)


def kept(folder: Path, found: DecompositionTables, entry=ENTRY) -> Path:
    path = TINY.write(folder / "tiny")
    bundle = load_bundle(path)
    add_decomposition(bundle, path, replace(bundle.manifest, decomposition=entry), "# c", found)
    return path


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    bundle = load_bundle(kept(tmp_path, tables()))
    assert bundle.manifest.decomposition == ENTRY
    found = bundle.decomposition
    assert found is not None
    np.testing.assert_allclose(found.loci, tables().loci, rtol=1e-6)
    pair = found.pair(4, 1)
    assert pair is not None
    assert (pair.effect, pair.q_value) == (-2.0, 0.0)
    assert found.pair(1, 2) is None


def test_a_snp_and_its_partners(tmp_path: Path) -> None:
    model = load(kept(tmp_path, tables()))
    report = model.snp(TINY.ids[3])
    assert report.decomposition["additive"] == -0.5
    assert [(p.id, p.effect) for p in report.partners] == [
        (TINY.ids[0], 1.0), (TINY.ids[4], pytest.approx(0.3)),
    ]  # fmt: skip
    pair = model.pair(TINY.ids[4], TINY.ids[1])
    assert (pair.effect, pair.effect_sd, pair.q_value) == (-2.0, 0.5, 0.0)
    assert model.snp(TINY.ids[9]).partners == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"loci": -tables().loci}, "negative SD or variance"),
        ({"loci": tables().loci * np.nan}, "not finite"),
        ({"pairs": np.array([[1, 4], [0, 12], [3, 4]])}, "outside 0 to 11"),
        ({"pairs": np.array([[1, 4], [3, 0], [3, 4]])}, "two SNPs in order"),
        ({"pairs": np.array([[1, 4], [3, 4], [3, 4]])}, "each once"),
        ({"of_pairs": tables().of_pairs[::-1]}, "strongest pair first"),
        ({"q_values": np.array([0, 0.5, 1.5])}, "not from 0 to 1"),
    ],
)
def test_tables_that_lie(tmp_path: Path, more: dict, told: str) -> None:
    with pytest.raises(InvalidBundle, match=told):
        kept(tmp_path, tables(**more))
    # The bundle that was there is still there.
    assert load_bundle(tmp_path / "tiny").decomposition is None


def test_tables_without_their_entry(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="has no entry 'decomposition'"):
        kept(tmp_path, tables(), entry=None)


def test_what_a_person_sees(tmp_path: Path) -> None:
    model = load(kept(tmp_path, tables()))
    console = Console(width=100, record=True, file=io.StringIO())
    show_snp(console, model.snp(TINY.ids[3]), model.bundle)
    show_pair(console, model.pair(TINY.ids[4], TINY.ids[1]), model.bundle)
    told = " ".join(console.export_text().split())
    assert "average effect -0.5000 cm per copy" in told
    assert f"{TINY.ids[0]} +1.0000 0.4000 0.25" in told
    assert "interaction (cm)" in told
    assert "the pair's effect is -2.0000 cm per copy of both" in told


def test_units_of_variances() -> None:
    assert [squared(unit) for unit in ("cm", "%", "kg/ha")] == ["cm²", "%²", "(kg/ha)²"]
