"""What an ONNX model of a bundle may hold, checked before onnxruntime sees a byte of it.

A model is a protobuf message, and only its outline is read here: messages within messages, never
a type or a graph's meaning, which are onnxruntime's part. Every field and every operator has to be
on a list of those that networks of genotypes need. What is left out can read other files
(external data), run other code (custom operators, functions), go on without end (loops) or fill
the memory from a few bytes (`Expand`, `Tile`, ...). Memory that the listed operators can still
ask for, such as by broadcasting, has a bound of its own, see `snpredict.scoring.onnx_session`.

The field numbers are those of onnx.proto.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from snpredict.bundle.varint import varint
from snpredict.errors import InvalidBundle

#: What the exporters in `train` write for the layers and activations of Keras, and their close
#: relatives. Without recurrent layers: they become loops.
OPERATORS = frozenset(
    name
    for group in (
        # One number at a time.
        "Abs Add And Cast Ceil Celu Clip Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual",
        "HardSigmoid HardSwish Identity LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mul Neg",
        "Not Or PRelu Pow Reciprocal Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Sub Sum",
        "Tanh ThresholdedRelu Where",
        # Layers.
        "AveragePool BatchNormalization Conv ConvTranspose Dropout Gemm GlobalAveragePool",
        "GlobalMaxPool InstanceNormalization LayerNormalization LogSoftmax LpNormalization MatMul",
        "MaxPool Softmax",
        # Along axes.
        "ArgMax ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum",
        "ReduceSumSquare",
        # Shapes.
        "Concat Constant Flatten Gather OneHot Pad Reshape Shape Slice Split Squeeze Transpose",
        "Unsqueeze",
    )
    for name in group.split()
)

#: Domains of the standard's own operators; `tf2onnx` declares the third without using it.
_OPERATOR_DOMAINS = (b"", b"ai.onnx")
_DECLARED_DOMAINS = (*_OPERATOR_DOMAINS, b"ai.onnx.ml")

#: Names, attributes and the like of thousands of operators; a second of reading, about.
_MAX_FIELDS = 500_000

_MAX_AXES = 64

#: numpy's types by number of ONNX's; no text.
_TYPES: dict[int, np.dtype] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
}

_VARINT, _BYTES, _FIXED32 = 0, 2, 5


def _known(
    varint: tuple[int, ...] = (), length: tuple[int, ...] = (), fixed32: tuple[int, ...] = ()
) -> frozenset[int]:
    """Keys of the fields that a message may have: the number and, below it, the wire type."""
    wires = ((_VARINT, varint), (_BYTES, length), (_FIXED32, fixed32))
    return frozenset(number << 3 | wire for wire, numbers in wires for number in numbers)


# Numbers are repeated either one by one or packed.
_MODEL = _known(varint=(1, 5), length=(2, 3, 4, 6, 7, 8, 14))
_OPSET = _known(varint=(2,), length=(1,))
_GRAPH = _known(length=(1, 2, 5, 10, 11, 12, 13, 16))
_NODE = _known(length=(1, 2, 3, 4, 5, 6, 7, 9))
_ATTRIBUTE = _known(varint=(3, 8, 20), length=(1, 4, 5, 7, 8, 9, 13), fixed32=(2, 7))
_TENSOR = _known(varint=(1, 2, 14), length=(1, 8, 9, 12, 16))

#: What is refused, in words, by message and number; other numbers are not known here.
_REFUSED = {
    ("model", 20): "training information",
    ("model", 25): "functions",
    ("graph", 14): "quantization annotations",
    ("graph", 15): "sparse tensors",
    ("attribute", 6): "a graph within a node",
    ("attribute", 11): "graphs within a node",
    ("attribute", 22): "a sparse tensor",
    ("attribute", 23): "sparse tensors",
    ("tensor", 6): "text",
    ("tensor", 13): "external data",
    **dict.fromkeys((("tensor", n) for n in (4, 5, 7, 10, 11)), "a tensor that is not raw data"),
}


class _Refused(Exception):
    """Why, continuing the file's name."""


def check_model(content: bytes, path: Path) -> None:
    """Refuse a model that holds anything but standard operators and finite numbers.

    Parameters
    ----------
    content : bytes
        The model's file.
    path : Path
        Where it lies, for messages; nothing is read there.

    Raises
    ------
    InvalidBundle
        It is cut off or no ONNX model, has an operator or a part that is not on the lists above,
        a tensor whose bytes do not fit its shape, or a number that is not finite.
    """
    try:
        _Outline().model(memoryview(content))
    except _Refused as reason:
        raise InvalidBundle(f"{path} {reason}") from None
    except IndexError:
        raise InvalidBundle(f"{path} is cut off, or is not an ONNX model") from None


class _Outline:
    """The messages of one model."""

    def __init__(self) -> None:
        self._fields_left = _MAX_FIELDS

    def model(self, data: memoryview) -> None:
        graphs = 0
        for number, value in self._fields(data, "model", _MODEL):
            if number == 7:
                graphs += 1
                self._graph(value)
            elif number == 8:
                for inner, domain in self._fields(value, "opset", _OPSET):
                    if inner == 1 and bytes(domain) not in _DECLARED_DOMAINS:
                        raise _Refused(f"uses operators of the domain {_shown(domain)}")
        if graphs != 1:
            raise _Refused(f"has {graphs} graphs, expected one: it is not an ONNX model")

    def _graph(self, data: memoryview) -> None:
        for number, value in self._fields(data, "graph", _GRAPH):
            if number == 1:
                self._node(value)
            elif number == 5:
                self._tensor(value)

    def _node(self, data: memoryview) -> None:
        for number, value in self._fields(data, "node", _NODE):
            # Every occurrence of a field: of a repeated one, readers take the last.
            if number == 4 and bytes(value).decode(errors="replace") not in OPERATORS:
                raise _Refused(
                    f"has the operator {_shown(value)}, which is not among those that models of "
                    "a bundle may have"
                )
            if number == 7 and bytes(value) not in _OPERATOR_DOMAINS:
                raise _Refused(f"has an operator of the domain {_shown(value)}")
            if number == 5:
                for inner, tensor in self._fields(value, "attribute", _ATTRIBUTE):
                    if inner == 5:
                        self._tensor(tensor)

    def _tensor(self, data: memoryview) -> None:
        shape: list[int] = []
        kind, raw = 0, memoryview(b"")
        for number, value in self._fields(data, "tensor", _TENSOR):
            if number == 1:
                shape += [value] if isinstance(value, int) else _varints(value, _MAX_AXES)
            elif number == 2:
                kind = value
            elif number == 9:
                raw = value
            elif number == 14 and value != 0:
                raise _Refused("has external data: its weights lie in another file")
        if kind not in _TYPES:
            raise _Refused(f"has a tensor of type {kind}, expected numbers")
        if len(shape) > _MAX_AXES or math.prod(shape) * _TYPES[kind].itemsize != len(raw):
            raise _Refused(f"has a tensor of shape {shape[:8]} in {len(raw)} bytes")
        is_real = _TYPES[kind].kind == "f" and len(raw) > 0
        if is_real and not np.isfinite(np.frombuffer(raw, _TYPES[kind])).all():
            raise _Refused("has a weight that is not finite")

    def _fields(
        self, data: memoryview, message: str, known: frozenset[int]
    ) -> Iterator[tuple[int, Any]]:
        """Numbers and values of a message's fields: int for a varint, else memoryview."""
        at, end = 0, len(data)
        while at < end:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise _Refused(f"has more than {_MAX_FIELDS} parts")
            key, at = varint(data, at)
            number, wire = key >> 3, key & 7
            if key not in known:
                if what := _REFUSED.get((message, number)):
                    raise _Refused(f"has {what}, which models of a bundle may not have")
                raise _Refused(
                    f"is not an ONNX model, or has an unknown part (field {number} of its "
                    f"{message})"
                )
            if wire == _VARINT:
                value, at = varint(data, at)
                yield number, value
                continue
            size = 4
            if wire == _BYTES:
                size, at = varint(data, at)
            if size > end - at:
                raise IndexError
            yield number, data[at : at + size]
            at += size


def _varints(data: memoryview, at_most: int) -> list[int]:
    values: list[int] = []
    at = 0
    while at < len(data) and len(values) <= at_most:
        value, at = varint(data, at)
        values.append(value)
    return values


def _shown(text: memoryview) -> str:
    return repr(bytes(text[:40]).decode(errors="replace"))
