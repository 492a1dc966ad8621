"""The data sets, the contenders and one measured fit of `tables.py`."""
