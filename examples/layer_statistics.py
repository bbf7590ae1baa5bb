"""Takes the statistics that NNMonitor shows from a PyTorch model, through hooks."""

import time

import torch


class LayerStatistics:
    """Watches the layers of a model that have weights.

    The hooks cost nothing while `watching` is off: switch it on for the steps to be reported, before the forward pass.
    """

    def __init__(self, model):
        self.watching = False
        self._activations = {}
        self._layers = [
            (name, module) for name, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), torch.nn.Parameter)
        ]
        for name, module in self._layers:
            module.register_forward_hook(self._hook(name))

    def _hook(self, name):
        def keep(_module, _inputs, output):
            if self.watching:
                self._activations[name] = output.detach()

        return keep

    def payload(self, run_id, step, batch_size):
        """The ingest payload of the step whose backward pass has just ended."""
        layers = [self._layer(depth, name, module) for depth, (name, module) in enumerate(self._layers)]
        for previous, layer in zip(layers, layers[1:]):
            before = previous["intermediate_features"]["activation_std"]
            if before > 0:
                features = layer["intermediate_features"]
                features["cross_layer_std_ratio"] = features["activation_std"] / before
        return {
            "metadata": {
                "run_id": run_id, "timestamp": time.time(), "global_step": step, "batch_size": batch_size,
                "layer_groups": self._groups(),
            },
            "layer_statistics": layers,
            "cross_layer_analysis": self._across(layers),
        }

    def _layer(self, depth, name, module):
        activation = self._activations[name]
        gradient = module.weight.grad.detach()
        weight = module.weight.detach()
        parameters = {
            "weight": {
                "std": weight.std(unbiased=False).item(),
                "mean": weight.mean().item(),
                "spectral_norm": torch.linalg.matrix_norm(weight.flatten(1), ord=2).item(),
                "frobenius_norm": torch.linalg.vector_norm(weight).item(),
            },
            "bias": None,
        }
        if module.bias is not None:
            bias = module.bias.detach()
            parameters["bias"] = {"std": bias.std(unbiased=False).item(), "mean_abs": bias.abs().mean().item()}
        return {
            "layer_id": name,
            "layer_type": type(module).__name__,
            "depth_index": depth,
            "intermediate_features": {
                "activation_std": activation.std(unbiased=False).item(),
                "activation_mean": activation.mean().item(),
                "activation_shape": list(activation.shape),
                "cross_layer_std_ratio": None,
            },
            "gradient_flow": {
                "gradient_l2_norm": torch.linalg.vector_norm(gradient).item(),
                "gradient_std": gradient.std(unbiased=False).item(),
                "gradient_max_abs": gradient.abs().max().item(),
            },
            "parameter_statistics": parameters,
        }

    def _groups(self):
        groups = {}
        for name, _module in self._layers:
            groups.setdefault(name.split(".")[0], []).append(name)
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
