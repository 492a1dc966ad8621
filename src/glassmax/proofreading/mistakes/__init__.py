"""The mistakes of paper, each tried on the tree of a wrong line."""
