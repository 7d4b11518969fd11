"""Explicit ratings: MovieLens 100K through landing, then ours beside published tables (`make bench-ratings`)."""
