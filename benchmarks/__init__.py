"""Pairs of ours and a plain reference, measured side by side in one run and compared as a ratio."""
