"""Training of snpredict bundles: cross-validated residual networks, saliency and export.

Run as ``python -m train`` from a checkout or from the training image; never part of the wheel.
"""
