"""Training runs on all ranks: prints a digest of the bits of each; to be started by mpiexec."""

import hashlib
import json
import sys
from contextlib import closing
from pathlib import Path

from glassmax.distributed import WorkerSettings, open_workers, training
from tests.distributed.rows import Scan
from tests.distributed.test_training import KINDS, Run

folder, how = Path(sys.argv[1]), sys.argv[2]
with closing(open_workers(WorkerSettings("mpi", wait_limit=60))) as workers:
    if workers.is_driver:
        scan = Scan(folder / "rows", "w")
        if how == "killed":
            from glassmax import faults

            training.gradient = faults.gradient  # kills its rank once at two of the shards
            runs = {"adam": Run(scan, workers, folder / "killed", folder / "killed.checkpoint", **KINDS["adam"])}
        else:
            runs = {kind: Run(scan, workers, folder / kind, **KINDS[kind]) for kind in how.split(",")}
        bits = {kind: hashlib.sha256(repr(run.finish().bits()).encode()).hexdigest() for kind, run in runs.items()}
        print(json.dumps(bits))
        workers.finish(b"")
    else:
        workers.serve()
