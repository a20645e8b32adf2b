"""Tests of a GPT's decoding: what they begin with, and right ones."""
