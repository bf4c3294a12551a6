"""What a network has learned, in a geneticist's terms."""
