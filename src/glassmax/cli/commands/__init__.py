"""The commands, one module each: `glassmax train` is `train.command`. What several commands share is in `cli`."""
