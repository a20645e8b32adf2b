"""The texts that a workspace is given beside its code."""
