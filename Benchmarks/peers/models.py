"""The bodies that fastapi_peer.py takes, as pydantic validates them, and how it stores them."""

from datetime import datetime, timezone
from typing import Annotated

from pydantic import BaseModel, Field, FiniteFloat, model_validator

NotNegative = Annotated[FiniteFloat, Field(ge=0)]
Name = Annotated[str, Field(min_length=1, max_length=1024)]
RunID = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Metadata(BaseModel):
    run_id: RunID
    timestamp: Annotated[FiniteFloat, Field(gt=0)]
    global_step: Annotated[int, Field(ge=0)]
    batch_size: Annotated[int, Field(gt=0)]
    layer_groups: dict[str, list[str]] | None = None


class Features(BaseModel):
    activation_std: NotNegative
    activation_mean: FiniteFloat
    activation_shape: Annotated[list[int], Field(min_length=2)]
    cross_layer_std_ratio: NotNegative | None = None


class Gradient(BaseModel):
    gradient_l2_norm: NotNegative
    gradient_std: NotNegative
    gradient_max_abs: NotNegative


class Weight(BaseModel):
    std: NotNegative
    mean: FiniteFloat
    spectral_norm: NotNegative
    frobenius_norm: NotNegative


class Bias(BaseModel):
    std: NotNegative
    mean_abs: NotNegative


class Parameters(BaseModel):
    weight: Weight
    bias: Bias | None = None


class Layer(BaseModel):
    layer_id: Name
    layer_type: Name
    depth_index: Annotated[int, Field(ge=0)]
    intermediate_features: Features
    gradient_flow: Gradient
    parameter_statistics: Parameters


class CrossLayer(BaseModel):
    feature_std_gradient: FiniteFloat
    gradient_norm_ratio: dict[str, FiniteFloat] = {}


class Payload(BaseModel):
    metadata: Metadata
    layer_statistics: Annotated[list[Layer], Field(min_length=1)]
    cross_layer_analysis: CrossLayer

    @model_validator(mode="after")
    def in_order(self):
        layers = self.layer_statistics
        for before, layer in zip(layers, layers[1:]):
            if layer.depth_index < before.depth_index:
                raise ValueError(f"layer '{layer.layer_id}' comes after '{before.layer_id}', which is deeper")
        return self


OpenName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class OpenLayer(BaseModel):
    id: Name
    type: str | None = None
    depth: Annotated[int, Field(ge=0)] | None = None
    shape: Annotated[list[int], Field(max_length=32)] | None = None
    parameters: Annotated[int, Field(ge=0)] | None = None
    trainable: bool = True
    group: str | None = None


class OpenStep(BaseModel):
    step: Annotated[int, Field(ge=0)]
    time: float | None = None
    batch_size: Annotated[int, Field(gt=0)] | None = None
    scalars: Annotated[dict[OpenName, float | None], Field(max_length=1000)] | None = None
    layers: list[Name | OpenLayer] | None = None
    metrics: Annotated[dict[OpenName, list[float | None] | None], Field(max_length=128)] | None = None
    vectors: dict[OpenName, dict[Name, Annotated[list[float], Field(max_length=4096)]]] | None = None

    @model_validator(mode="after")
    def of_one_length(self):
        ids = [layer if isinstance(layer, str) else layer.id for layer in self.layers or []]
        if len(set(ids)) < len(ids):
            raise ValueError("two layers have the same id")
        for name, column in (self.metrics or {}).items():
            if column is not None and len(column) != len(ids):
                raise ValueError(f"'{name}' has {len(column)} values for {len(ids)} layers")
        return self


def stored_open(step: OpenStep) -> dict:
    kept = step.model_dump(exclude_none=True)
    kept.setdefault("time", datetime.now(timezone.utc).timestamp())
    return kept


def stored(payload: Payload) -> dict:
    layers = [layer.model_dump() for layer in payload.layer_statistics]
    for layer in layers:
        layer["layer_id"] = layer["layer_id"].replace(".", "/")
    groups = payload.metadata.layer_groups
    return {
        "step": payload.metadata.global_step, "timestamp": payload.metadata.timestamp,
        "batch_size": payload.metadata.batch_size, "layers": layers,
        "cross_layer": payload.cross_layer_analysis.model_dump(),
        "layer_groups": groups and {
            name: [member.replace(".", "/") for member in members] for name, members in groups.items()}}


def lite(step: dict) -> dict:
    layers = []
    for layer in step["layers"]:
        features, gradient = layer["intermediate_features"], layer["gradient_flow"]
        layers.append({
            "layer_id": layer["layer_id"], "layer_type": layer["layer_type"], "depth_index": layer["depth_index"],
            "intermediate_features": {name: features[name] for name in ("activation_std", "cross_layer_std_ratio")},
            "gradient_flow": {name: gradient[name] for name in ("gradient_l2_norm", "gradient_max_abs")}})
    return {**step, "layers": layers}
