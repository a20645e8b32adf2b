"""Tests of a GPT's attention: what they begin with, and right ones."""
