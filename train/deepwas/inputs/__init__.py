"""Summary statistics, LD references and annotations, in the formats that people have them in."""
