"""Each statement against the truth, and against the statement before it."""
