"""HapMap files."""
