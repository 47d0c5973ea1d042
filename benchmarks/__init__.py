"""Measuring: every figure a ratio taken within one run."""
