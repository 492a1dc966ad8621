"""The formulas of a derivation: reading them, going through them, writing them in their author's notation."""
