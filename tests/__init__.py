"""The tests: one room for each of the package's, and those that are about the whole beside them.

They run in as many processes as the machine has cores, so BLAS takes one thread in each, and in what they start.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is loaded, which is not yet
