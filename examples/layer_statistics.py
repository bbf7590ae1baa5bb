"""Computes the layer statistics for NNMonitor from a PyTorch model, with forward hooks."""

import time

import torch


class LayerStatistics:
    """Computes statistics of the layers of a model that have trainable weights.

    The hooks do nothing while `watching` is false. Set it to true before the forward pass of each step to report.
    A layer without a gradient or an activation in a step, such as a frozen layer, is omitted from that step.
    """

    def __init__(self, model):
        self.watching = False
        self._activations = {}
        self._layers = [
            (name or type(module).__name__, module) for name, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), torch.nn.Parameter)
        ]
        for name, module in self._layers:
            module.register_forward_hook(self._hook(name))

    def _hook(self, name):
        def keep(_module, _inputs, output):
            if self.watching:
                # Computed here, because a later in-place operation can change the output.
                activation = output.detach()
                self._activations[name] = {
                    "activation_std": activation.std(unbiased=False).item(),
                    "activation_mean": activation.mean().item(),
                    "activation_shape": list(activation.shape),
                    "cross_layer_std_ratio": None,
                }

        return keep

    def payload(self, run_id, step, batch_size):
        """Returns the ingest payload of the current step. Call it after the backward pass."""
        layers = [
            self._layer(depth, name, module) for depth, (name, module) in enumerate(self._layers)
            if name in self._activations and module.weight.grad is not None
        ]
        self._activations.clear()
        for previous, layer in zip(layers, layers[1:]):
            before = previous["intermediate_features"]["activation_std"]
            if before > 0:
                features = layer["intermediate_features"]
                features["cross_layer_std_ratio"] = features["activation_std"] / before
        return {
            "metadata": {
                "run_id": run_id, "timestamp": time.time(), "global_step": step, "batch_size": batch_size,
                "layer_groups": self._groups(layers),
            },
            "layer_statistics": layers,
            "cross_layer_analysis": self._across(layers),
        }

    def _layer(self, depth, name, module):
        gradient = module.weight.grad.detach()
        weight = module.weight.detach()
        parameters = {
            "weight": {
                "std": weight.std(unbiased=False).item(),
                "mean": weight.mean().item(),
                # The weight as a matrix with one row per output channel; weights of a normalisation are one row.
                "spectral_norm": torch.linalg.matrix_norm(torch.atleast_2d(weight).flatten(1), ord=2).item(),
                "frobenius_norm": torch.linalg.vector_norm(weight).item(),
            },
            "bias": None,
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

    @staticmethod
    def _groups(layers):
        groups = {}
        for layer in layers:
            groups.setdefault(layer["layer_id"].split(".")[0], []).append(layer["layer_id"])
        return groups

    @staticmethod
    def _across(layers):
        stds = [layer["intermediate_features"]["activation_std"] for layer in layers]
        norms = [layer["gradient_flow"]["gradient_l2_norm"] for layer in layers]
        names = [layer["layer_id"] for layer in layers]
        ratios = {
            f"{later}/{earlier}": norms[index + 1] / norms[index]
            for index, (earlier, later) in enumerate(zip(names, names[1:])) if norms[index] > 0
        }
        slope = (stds[-1] - stds[0]) / (len(stds) - 1) if len(stds) > 1 else 0.0
        return {"feature_std_gradient": slope, "gradient_norm_ratio": ratios}
