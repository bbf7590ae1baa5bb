"""What a watched step measures: activations, gradients, weights, updates and clipping."""
