"""Small networks with a known fault, and healthy ones, all trained on scikit-learn's handwritten digits.

`training` has the loop, `networks` and `attention` the models, `sick` and `healthy` the cases, `recording` writes what
the client measured to files.
"""
