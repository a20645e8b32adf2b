"""A plugin that is brought by another distribution than Bugforge."""
