"""Here so that pytest finds the program, from wherever it is started."""
