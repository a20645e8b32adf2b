"""Runs one program in a child process and records its behaviour as data.

It stands alone: it imports torch, safetensors and the standard library, never the rest of
Bugforge, and it judges nothing. What it writes is read by the command, which holds every bound.
"""
