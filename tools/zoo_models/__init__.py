# SPDX-License-Identifier: Apache-2.0
"""The models of the zoo, by the exporter that writes them. MODELS: name -> Model."""
import dataclasses
import typing

MODELS = {}
SEED = 20251107


@dataclasses.dataclass
class Feed:
    """How an input is drawn: shape with "n" for the batch (and "t" for a free time axis)."""
    name: str
    shape: list
    dtype: str = "float32"
    kind: str = "normal"  # normal, positive, uniform, int (below `high`), text (of `choices`)
    scale: float = 1.0
    high: int = 0
    choices: list = dataclasses.field(default_factory=list)
    holes: float = 0.0    # share of NaN


@dataclasses.dataclass
class Model:
    name: str
    family: str
    make: typing.Callable  # () -> ModelProto (or a path, written there already)
    feeds: list
    batches: tuple = (1, 2, 7, 64)
    reason: str = ""       # why its bound is wider, or why labels may differ
    bound: float = 1e-5
    alone: bool = True     # a row of a batch has the bits that it has alone
    plain: bool = False    # ONNX Runtime's optimiser moves it past the bound: held against it without


def add(model):
    if model.name in MODELS:
        raise ValueError(f"{model.name} stands twice")
    MODELS[model.name] = model


def load():
    """Fills MODELS; the exporters are imported here, and nowhere else."""
    from . import boosted, keras_series, quantised, sklearn_tables, torch_series  # noqa: F401
    keras_series.rows()
    return MODELS
