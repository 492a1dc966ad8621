"""Workers that are tasks of Ray: without state, so that Ray may run each of them anywhere, and again if a worker dies.

::

    workers    the seam: map shards, sum in order, broadcast
    tasks      what runs in a task of Ray
    places     the nodes of a cluster on which tasks run: where their rows are already
    slow       where slow tasks run, for the error about one that hangs
    deaths     errors of Ray, in words
    cluster    the cluster: one that runs already, or a new one on this machine that listens on loopback only
    quiet      what Ray prints and changes in the process of the user, kept away
    watch      the process that ends a cluster of ours whose driver was killed

Ray is loaded when workers are opened.
"""

from .workers import RayWorkers

__all__ = ["RayWorkers"]
