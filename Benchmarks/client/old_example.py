"""How the examples measured a model before the client: hooks that read each number at once, and an SVD for each weight.

It stays for comparison in `bench client`.
"""

from __future__ import annotations

from typing import Any

import torch


class LayerStatistics:
    """Computes statistics of the layers of a model that have trainable weights, with forward hooks."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._activations: dict[str, dict[str, Any]] = {}
        self._layers = [
            (name or type(module).__name__, module) for name, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), torch.nn.Parameter)
        ]
        self._hooks = [module.register_forward_hook(self._hook(name)) for name, module in self._layers]

    def close(self) -> None:
        """Removes the hooks."""
        for hook in self._hooks:
            hook.remove()

    def _hook(self, name: str) -> Any:
        def keep(_module: torch.nn.Module, _inputs: Any, output: torch.Tensor) -> None:
            # Computed here, because a later in-place operation can change the output.
            activation = output.detach()
            self._activations[name] = {
                "activation_std": activation.std(unbiased=False).item(),
                "activation_mean": activation.mean().item(),
                "activation_shape": list(activation.shape),
            }

        return keep

    def payload(self, step: int) -> dict[str, Any]:
        """The statistics of the current step. Call it after the backward pass."""
        layers = [
            self._layer(depth, name, module) for depth, (name, module) in enumerate(self._layers)
            if name in self._activations and module.weight.grad is not None
        ]
        self._activations.clear()
        return {"metadata": {"run_id": "bench", "global_step": step}, "layer_statistics": layers}

    def _layer(self, depth: int, name: str, module: torch.nn.Module) -> dict[str, Any]:
        weight, gradient = module.weight.detach(), module.weight.grad.detach()
        parameters: dict[str, Any] = {
            "weight": {
                "std": weight.std(unbiased=False).item(),
                "mean": weight.mean().item(),
                "spectral_norm": torch.linalg.matrix_norm(torch.atleast_2d(weight).flatten(1), ord=2).item(),
                "frobenius_norm": torch.linalg.vector_norm(weight).item(),
            },
        }
        if getattr(module, "bias", None) is not None:
            bias = module.bias.detach()
            parameters["bias"] = {"std": bias.std(unbiased=False).item(), "mean_abs": bias.abs().mean().item()}
        return {
            "layer_id": name,
            "layer_type": type(module).__name__,
            "depth_index": depth,
            "intermediate_features": self._activations[name],
            "gradient_flow": {
                "gradient_l2_norm": torch.linalg.vector_norm(gradient).item(),
                "gradient_std": gradient.std(unbiased=False).item(),
                "gradient_max_abs": gradient.abs().max().item(),
            },
            "parameter_statistics": parameters,
        }
