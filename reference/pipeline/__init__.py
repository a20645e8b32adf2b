"""A classifier of rows with a whole pipeline of training, module by module."""
