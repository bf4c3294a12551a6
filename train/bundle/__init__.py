"""A finished run as a bundle."""
