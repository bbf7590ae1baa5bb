"""Statistics of single tensors, computed without a dependency on layers, hooks or optimizers."""
