"""A GPT of one head that decodes with caches, whose class is to be written, too."""
