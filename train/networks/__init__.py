"""The networks: everything with Keras."""
