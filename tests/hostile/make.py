"""One thing wrong with a bundle's folder, made in place.

Every function takes the folder of a good bundle. Unless the lie is about digests, they are made
to fit again, so that what is refused is refused for what it is.
"""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper, numpy_helper

from snpredict.bundle.manifest import MANIFEST

ENSEMBLE = "ensemble.onnx"

Lie = Callable[[Path], None]


def in_turn(*lies: Lie) -> Lie:
    def apply(folder: Path) -> None:
        for lie in lies:
            lie(folder)

    return apply


# --- the manifest ------------------------------------------------------------------------------


def manifest_bytes(change: Callable[[bytes], bytes]) -> Lie:
    def apply(folder: Path) -> None:
        path = folder / MANIFEST
        path.write_bytes(change(path.read_bytes()))

    return apply


def entry(*path: Any, value: Any) -> Lie:
    """Another value in the manifest, at the place that the keys lead to."""

    def change(text: bytes) -> bytes:
        manifest = inner = json.loads(text)
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return json.dumps(manifest).encode()

    return manifest_bytes(change)


def folds(change: Callable[[list], list]) -> Lie:
    def apply(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text())
        entry("folds", value=change(manifest["folds"]))(folder)

    return apply


# --- files -------------------------------------------------------------------------------------


def file(name: str, content: bytes) -> Lie:
    """Another content, and its digest in the manifest."""

    def apply(folder: Path) -> None:
        (folder / name).write_bytes(content)
        entry("files", name, value=hashlib.sha256(content).hexdigest())(folder)

    return apply


def in_place_of(name: str, make: Callable[[Path], Any]) -> Lie:
    """Something that is no file under a file's name."""

    def apply(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return apply


def moved_out(name: str) -> Lie:
    """A link in place of a file or folder of the bundle, which now lies beside the bundle."""

    def apply(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir()
        (folder / name).rename(outside / "it")
        (folder / name).symlink_to(outside / "it")

    return apply


def sparse(size: int) -> Callable[[Path], None]:
    """A file of zeros that takes no room on disk."""

    def make(path: Path) -> None:
        with path.open("wb") as opened:
            opened.truncate(size)

    return make


# --- tables ------------------------------------------------------------------------------------


def parquet(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", **options)
    return buffer.getvalue()


def table(name: str, change: Callable[[pa.Table], pa.Table]) -> Lie:
    def apply(folder: Path) -> None:
        changed = change(pq.read_table(folder / name, use_threads=False))
        file(name, parquet(changed))(folder)

    return apply


def column(name: str, column: str, values: Any) -> Lie:
    """Other values in one column."""

    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    return table(name, change)


def repeated(n_rows: int) -> Callable[[pa.Table], pa.Table]:
    """The table's first row over and over, of which Parquet keeps only one."""
    return lambda table: pa.table(
        {
            name: pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(n_rows, np.int32)), table.column(name).combine_chunks()
            ).cast(table.column(name).type)
            for name in table.column_names
        }
    )


def declared_rows(name: str, rows: int, declared: int) -> Lie:
    """Another number of rows in the footer and, with it, in the manifest."""

    def change(content: bytes) -> bytes:
        size = int.from_bytes(content[-8:-4], "little")
        body, footer = content[: -8 - size], content[-8 - size : -8]
        # Field 3, the rows, and the head of field 4, the row groups; first in the footer.
        old = b"\x16" + _zigzag(rows) + b"\x19"
        assert old in footer
        footer = footer.replace(old, b"\x16" + _zigzag(declared) + b"\x19", 1)
        return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"

    def apply(folder: Path) -> None:
        file(name, change((folder / name).read_bytes()))(folder)

    return apply


def _zigzag(value: int) -> bytes:
    value *= 2
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


# --- models ------------------------------------------------------------------------------------


def model(change: Callable[[onnx.ModelProto], Any], name: str = ENSEMBLE) -> Lie:
    def apply(folder: Path) -> None:
        proto = onnx.load(folder / name)
        change(proto)
        file(name, proto.SerializeToString())(folder)

    return apply


def tensor(proto: onnx.ModelProto, name: str) -> onnx.TensorProto:
    return next(t for t in proto.graph.initializer if t.name == name)


def initializer(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Lie:
    """Other numbers in a tensor of the fused ensemble."""

    def apply(proto: onnx.ModelProto) -> None:
        found = tensor(proto, name)
        found.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(found).copy()), name))

    return model(apply)


def behind_prediction(
    *nodes: onnx.NodeProto, constants: dict[str, np.ndarray] | None = None
) -> Lie:
    """Further nodes at the end: they read "before" and write "prediction"."""

    def apply(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            node.output[:] = ["before" if n == "prediction" else n for n in node.output]
        proto.graph.node.extend(nodes)
        for name, value in (constants or {}).items():
            proto.graph.initializer.append(numpy_helper.from_array(value, name))

    return model(apply)


def operator(name: str, *further: str, domain: str = "", **attributes: Any) -> Lie:
    """One further operator between the prediction and its output."""
    return behind_prediction(
        helper.make_node(name, ["before", *further], ["prediction"], domain=domain, **attributes),
        constants={name: np.array([1, 1]) for name in further},
    )


def branch() -> onnx.GraphProto:
    """A graph for within a node: nothing but a number."""
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1.0])
    return helper.make_graph(
        [helper.make_node("Constant", [], ["out"], value=value)],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])],
    )


def external(location: str) -> Lie:
    """The weights in another file."""

    def apply(proto: onnx.ModelProto) -> None:
        found = tensor(proto, "ensemble_weights")
        found.ClearField("raw_data")
        found.data_location = TensorProto.EXTERNAL
        found.external_data.add(key="location", value=location)

    return model(apply)


def function(proto: onnx.ModelProto) -> None:
    """A function of the model's own, under the name of a standard operator."""
    body = [helper.make_node("Identity", ["x"], ["y"])]
    opset = [helper.make_opsetid("", 17)]
    proto.functions.append(helper.make_function("", "Sqrt", ["x"], ["y"], body, opset))


def renamed_output(proto: onnx.ModelProto) -> None:
    for node in proto.graph.node:
        node.output[:] = ["height" if n == "prediction" else n for n in node.output]
    next(o for o in proto.graph.output if o.name == "prediction").name = "height"


def other_type(proto: onnx.ModelProto) -> None:
    """Predictions in double precision."""
    for node in proto.graph.node:
        node.output[:] = ["single" if n == "prediction" else n for n in node.output]
    cast = helper.make_node("Cast", ["single"], ["prediction"], to=TensorProto.DOUBLE)
    proto.graph.node.append(cast)
    output = next(o for o in proto.graph.output if o.name == "prediction")
    output.type.tensor_type.elem_type = TensorProto.DOUBLE


def without_weights(proto: onnx.ModelProto) -> None:
    outputs = [o for o in proto.graph.output if o.name != "weights"]
    del proto.graph.output[:]
    proto.graph.output.extend(outputs)


def other_weights(proto: onnx.ModelProto) -> None:
    """The bias under the name of the weights."""
    for node in proto.graph.node:
        if list(node.output) == ["weights"]:
            node.input[:] = ["ensemble_bias"]
    output = next(o for o in proto.graph.output if o.name == "weights")
    output.type.tensor_type.ClearField("shape")
