"""The correct programs that workspaces are forged from, one folder each."""
