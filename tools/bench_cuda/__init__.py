"""Measures the large models on one GPU, with random weights in full size.

`docs/how-to/measure-a-gpu.md` explains how to run it and what each number means.
"""
