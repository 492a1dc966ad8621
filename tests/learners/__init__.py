"""Backpropagation as learners write it, right and wrong, and what the doctor should say of it.

The programs were written by somebody who had not seen the doctor's code: their own names, layouts and losses. What
failed at first has been a lesson since, so the corpus is known by now. `proving` shows without the doctor that those
called right are right, and that the others are wrong, each in its own way.
"""
