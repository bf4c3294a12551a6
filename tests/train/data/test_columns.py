"""Which columns of a training table are SNPs: tables as breeders have them."""

from pathlib import Path

import pytest

from snpredict.genotypes.tables.wide import WideTable
from tests.soynam import FOLDER
from train.data.columns import SnpColumns, snp_columns
from train.errors import TrainingTableError, UncertainColumns

#: Public populations beside SoyNAM.
DATA = FOLDER.parent
FIRST = ["line", "fold"]
PHENOTYPES = ["rust", "site", "lodging"]

BLOCKS = {
    "places": [f"Gm{1 + n % 20:02d}_{1000 * n + 7}_{'ACGT'[n % 4]}_C" for n in range(60)],
    "places by colon": [f"chr{1 + n // 30}:{100 + n}" for n in range(60)],
    "brassica": [f"{'AC'[n // 30]}{1 + n % 9:02d}_{100 + n}" for n in range(60)],
    "wheat chromosomes": [f"{1 + n // 9}{'ABD'[n % 3]}_{100 + n}" for n in range(60)],
    "rs numbers": [f"rs{100 + 17 * n}" for n in range(60)],
    "numbers": [str(n) for n in range(60)],
    "names of R": [f"X{n}" for n in range(60)],
    "probes": [f"AX-{8_000 + n}" for n in range(60)],
    "two kinds of probe": [f"{'wPt.' if n < 30 else 'c.'}{1000 + n}" for n in range(60)],
    "alleles of PLINK": [f"snp{n}_{'ACGT'[n % 4]}" for n in range(60)],
    "SNP_1": [f"SNP_{n + 1}" for n in range(60)],
    "twelve markers": [f"m{n + 1}" for n in range(12)],
    "six markers": [f"L{n + 1}" for n in range(6)],
    "a name each": [
        f"{'abcdefghijklmnopqrstuvwxyz'[n % 26]}{'mwgcd'[n // 26]}{n}" for n in range(60)
    ],
}


def choose(header: list[str], *, ignore: tuple[str, ...] = (), **more: object) -> SnpColumns:
    return snp_columns(Path("sheet.tsv"), header, named={*FIRST, *ignore}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_a_block_of_snps_is_taken_whole(block: list[str]) -> None:
    chosen = choose([*FIRST, *block])
    assert chosen.snps == block
    assert chosen.others == FIRST
    assert not chosen.single


@pytest.mark.parametrize("place", ["before", "after", "between", "apart"])
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_phenotypes_beside_the_block_stop_the_run(block: list[str], place: str) -> None:
    half = len(block) // 2
    header = {
        "before": [*FIRST, *PHENOTYPES, *block],
        "after": [*FIRST, *block, *PHENOTYPES],
        "between": [*FIRST, *block[:half], *PHENOTYPES, *block[half:]],
        "apart": ["rust", "line", "site", "fold", *block, "lodging"],
    }[place]
    with pytest.raises(UncertainColumns) as caught:
        choose(header)
    assert all(repr(name) in caught.value.message for name in PHENOTYPES)
    assert "--ignore rust --ignore site --ignore lodging" in str(caught.value.hint)
    # Either way out does what the hint says.
    assert choose(header, ignore=tuple(PHENOTYPES)).snps == block
    begin = next(name for name in header if name not in FIRST)
    assert f"if they are SNPs: --snps-from {begin}" in str(caught.value.hint)
    assert set(choose(header, snps_from=begin).snps) == {*PHENOTYPES, *block}


@pytest.mark.parametrize(
    ("columns", "unlike"),
    [
        (["env1", "env2", "env4"], ["env1", "env2", "env4"]),
        (["rust_2019", "rust_2020"], ["rust_2019", "rust_2020"]),
        (["Unnamed: 0"], ["Unnamed: 0"]),
        (["PC1", "PC2", "rep"], ["PC1", "PC2", "rep"]),
    ],
    ids=lambda value: " ".join(value),
)
@pytest.mark.parametrize("end", ["before", "after"])
def test_names_with_numbers_are_noticed_outside_the_block(
    columns: list[str], unlike: list[str], end: str
) -> None:
    block = BLOCKS["places"]
    header = [*FIRST, *columns, *block] if end == "before" else [*FIRST, *block, *columns]
    with pytest.raises(UncertainColumns) as caught:
        choose(header)
    assert all(repr(name) in caught.value.message for name in unlike)
    if end == "before":
        assert f"or --snps-from {block[0]};" in str(caught.value.hint)
        assert choose(header, snps_from=block[0]).snps == block


def test_gene_markers_amid_the_block_are_taken_and_said() -> None:
    block = BLOCKS["two kinds of probe"]
    header = [*FIRST, *block[:20], "Rht-B1", *block[20:50], "Ppd-D1", *block[50:], "Rht-D1"]
    with pytest.raises(UncertainColumns, match="column 'Lr34_2019'"):
        choose([*header, "Lr34_2019"])
    chosen = choose(header)
    assert chosen.single == ["Rht-B1", "Ppd-D1", "Rht-D1"]
    assert "SNPs with other names than the rest: 'Rht-B1', 'Ppd-D1', 'Rht-D1'" in str(chosen)


@pytest.mark.parametrize("last", ["chrX:12", "MT:73", "chrUn:5", "scaffold_22:9"])
def test_a_few_snps_off_the_numbered_chromosomes_may_end_a_table(last: str) -> None:
    block = [*BLOCKS["places by colon"], last]
    assert choose([*FIRST, *block]).snps == block


@pytest.mark.parametrize("name", ["FID", "IID", "#IID", "PAT", "mat", "Sex", "PHENOTYPE", "pheno1"])
def test_columns_of_plink_are_never_snps(name: str) -> None:
    block = BLOCKS["alleles of PLINK"]
    for header in ([*FIRST, name, *block], [name, *FIRST, *block[:5], name.lower(), *block[5:]]):
        assert choose(header).snps == block
        assert choose(header, snps_from=next(n for n in header if n not in FIRST)).snps == block


def test_columns_of_the_phenotype_table_are_never_snps() -> None:
    block = BLOCKS["numbers"]
    chosen = choose(
        [*FIRST, "Rust", "entry", *block, "site"], elsewhere=["entry", "rust", "site", "height"]
    )
    assert chosen.snps == block
    assert str(chosen) == (
        "SNPs: 60 columns, 0 to 59; not SNPs: 'line', 'fold', 'Rust', 'entry', 'site'"
    )


def test_names_without_a_pattern_are_taken_and_the_doubt_is_said() -> None:
    """Nothing tells a phenotype from markers that are called by words."""
    words = ["rust", "waxy", "shrunken", "opaque", "brittle", "sugary", "floury", "dull"]
    chosen = choose([*FIRST, *words])
    assert chosen.snps == words
    assert "check that all of them are SNPs" in str(chosen)


def test_a_first_snp_that_is_not_there_is_refused() -> None:
    with pytest.raises(TrainingTableError, match="no column 'm7'"):
        choose([*FIRST, "m1", "m2"], snps_from="m7")


@pytest.mark.parametrize(
    ("file", "id_column", "named", "n_snps"),
    [
        ("soynam/height_chip.tsv.gz", "line", ["fold", "height", "family"], 4312),
        ("soynam/height_QA.tsv.gz", "line", ["fold", "height", "family"], 4312),
        ("wheat/wheat.tsv.gz", "line", ["fold", "env1", "env2", "env4", "env5"], 1279),
        ("populations/apple.tsv.gz", "line", ["family"], 2828),
        ("populations/barley.tsv.gz", "line", [], 742),
        ("populations/cattle.tsv.gz", "line", [], 7250),
        (
            "elm/haploid64.tsv.gz",
            "individual",
            ["trait1", "trait2", "trait3", "trait4", "trait5"],
            64,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_public_populations_are_read_without_a_question(
    file: str, id_column: str, named: list[str], n_snps: int
) -> None:
    if not (DATA / file).is_file():
        pytest.skip(f"needs {file}, which is not shipped")
    header = WideTable(DATA / file, id_column=id_column).header
    chosen = snp_columns(Path(file), header, named={id_column, *named})
    assert len(chosen.snps) == n_snps
    assert chosen.alike
    if file.startswith("wheat"):
        with pytest.raises(UncertainColumns, match="'env2', 'env4', 'env5'"):
            snp_columns(Path(file), header, named={"line", "fold", "env1"})
