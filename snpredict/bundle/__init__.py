"""Bundles: the folders that hold a trained model, loaded, verified and written."""
