"""Tests of a GPT's training: what they begin with, and right ones."""
