"""A larger GPT: what its program says otherwise."""
