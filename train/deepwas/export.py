"""Trained networks as a bundle of kind `variant-effects`, which ``snpredict annotate`` reads."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from snpredict.annotating.effect_sizes import VariantScorer
from snpredict.bundle.entries import LinkEntry, VariantModel
from snpredict.bundle.load import load_bundle
from snpredict.bundle.manifest import CONTINUOUS, VARIANT_EFFECTS, Manifest
from snpredict.bundle.write import write_bundle
from train.deepwas.networks import HIDDEN, clipped
from train.deepwas.results import Outcome
from train.deepwas.study import Study
from train.errors import ParityError
from train.runtime import software_versions

#: As the networks of genotypes are written.
_OPSET, _IR_VERSION = 17, 8
_MODEL = "variants.onnx"

#: log Λ of the graph and of Keras may differ by so much.
_ALLOWED = 1e-3


def network_onnx(layers: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]], inputs: int) -> bytes:
    """The mean of dense networks with SiLU units.

    Parameters
    ----------
    layers : sequence of sequence of (kernel, bias)
        Of each network; the last layer has one output and is linear.

    Returns
    -------
    bytes
        Model with the input ``annotations`` float32 (variants, inputs) and the output
        ``log_prior`` float32 (variants,).
    """
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, np.ndarray] = {"column": np.array([1], np.int64)}
    outputs = []
    for number, network in enumerate(layers):
        x = "annotations"
        for at, (kernel, bias) in enumerate(network):
            name = f"n{number}_{at}"
            constants |= {f"{name}_kernel": kernel, f"{name}_bias": bias}
            names = [x, f"{name}_kernel", f"{name}_bias"]
            nodes.append(helper.make_node("Gemm", names, [name]))
            x = name
            if at < len(network) - 1:
                nodes.append(helper.make_node("Sigmoid", [x], [f"{x}_gate"]))
                nodes.append(helper.make_node("Mul", [x, f"{x}_gate"], [f"{x}_silu"]))
                x = f"{x}_silu"
        outputs.append(x)
    nodes.append(helper.make_node("Mean", outputs, ["mean"]))
    nodes.append(helper.make_node("Squeeze", ["mean", "column"], ["log_prior"]))
    tensors = [numpy_helper.from_array(np.ascontiguousarray(v), n) for n, v in constants.items()]
    graph = helper.make_graph(
        nodes,
        "variant_effects",
        [helper.make_tensor_value_info("annotations", TensorProto.FLOAT, ["variants", inputs])],
        [helper.make_tensor_value_info("log_prior", TensorProto.FLOAT, ["variants"])],
        tensors,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write_variant_effects(
    target: Path,
    study: Study,
    outcome: Outcome,
    folder: Path,
    features: Mapping[str, Any],
    names: tuple[str, str, str],
) -> None:
    """Write the bundle of a network, all its seeds together.

    Parameters
    ----------
    outcome : Outcome
        Of a dense network.
    folder : Path
        The run: weights are in ``fits``.
    features : mapping
        ``names``, ``mean`` and ``scale`` of the annotations.
    names : (name, trait, unit)

    Raises
    ------
    ParityError
        The bundle gives other values than the network.
    OutputError, InvalidBundle
        As `snpredict.bundle.write.write_bundle`.
    """
    inputs = len(features["names"])
    networks = []
    for fit in outcome.fits:
        with np.load(
            folder / "fits" / f"{outcome.network}-{outcome.objective}-{fit.seed}.npz"
        ) as f:
            flat = [f[f"weight_{at}"] for at in range(fit.n_weights)]
        networks.append(list(zip(flat[::2], flat[1::2], strict=True)))
    if outcome.network == "constant":
        # It looks at no annotation.
        networks = [[(np.zeros((inputs, 1), np.float32), bias)] for ((_, bias),) in networks]
    scale = np.array(features["scale"])
    figures = outcome.summary()
    entry = VariantModel(
        model=_MODEL,
        network=outcome.network,
        objective=outcome.objective,
        annotations=tuple(features["names"]),
        means=tuple(float(v) for v in features["mean"]),
        scales=tuple(float(v) for v in np.where(scale > 0, scale, 1)),
        people=float(np.median(study.n)),
        held_out_gain=figures["held_out_gain"],
        held_out_gain_se=figures["held_out_gain_se"],
    )
    name, trait, unit = names
    manifest = Manifest(
        name=name,
        trait=trait,
        unit=unit,
        n_snps=len(study),
        kind=VARIANT_EFFECTS,
        task=CONTINUOUS,
        link=LinkEntry("identity"),
        folds=(),
        description=f"Expected effect variances from {inputs} annotations",
        software=software_versions(),
        variant_model=entry,
    )
    write_bundle(
        target,
        manifest,
        _card(manifest, entry),
        snps=study.snps,
        models={_MODEL: network_onnx(networks, inputs)},
    )
    _check(target, np.load(folder / "features.npy"), outcome)


def _check(target: Path, features: np.ndarray, outcome: Outcome) -> None:
    scorer = VariantScorer(load_bundle(target))
    rows = np.linspace(0, len(features) - 1, min(len(features), 1000)).astype(np.int64)
    entry = scorer.entry
    raw = features[rows].astype(np.float64) * np.array(entry.scales) + np.array(entry.means)
    off = np.abs(scorer.log_prior(raw) - clipped(outcome.log_prior[rows])).max()
    if off > _ALLOWED:
        raise ParityError(
            f"{target}: log Λ of the bundle and of the network differ by {off:.2g}, expected at "
            f"most {_ALLOWED:g}"
        )


def exportable(network: str) -> bool:
    """Whether a network looks at a variant's own annotations alone."""
    return network in HIDDEN


def _card(manifest: Manifest, entry: VariantModel) -> str:
    file = io.StringIO()
    file.write(
        f"# {manifest.name}\n\n"
        f"How large effects of variants on {manifest.trait} are expected to be, from annotations. "
        f"It predicts no trait.\n\n"
        f"- Network: {entry.network}, trained by {_OBJECTIVES[entry.objective]} on the summary "
        f"statistics of {entry.people:,.0f} people, {manifest.n_snps:,} variants.\n"
        f"- Held-out loss a variant, in nats, less that of no effects: {entry.held_out_gain:.4f} ± "
        f"{entry.held_out_gain_se:.4f} (lower is better).\n"
        f"- Annotations: {', '.join(entry.annotations)}.\n"
        "- A large expected variance is not a sign that a variant is a cause: neighbours have "
        "annotations alike.\n"
    )
    return file.getvalue()


_OBJECTIVES = {"full": "the full likelihood", "ldsr": "LD-score regression"}
