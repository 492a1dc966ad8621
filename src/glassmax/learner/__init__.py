"""A learner's file: loaded, understood, and run in a process of its own.

::

    parent_process    start the child process, limit its time and memory, kill it, and read its answer
    child_process     inside that process: load the file, do the work, write the answer as JSON
    loaded_file       the file as a module, its functions watched
    line_watch        a function's statements as they run: which variables lead to which arrays
    array_changes     the arrays that a call is known to have, and what changes them
    recording         what is recorded: calls and events
    statements        the statements of a source, and which one an instruction belongs to
    paths             where an expression leads: ``params['W' + str(l)]`` to ``params['W2']``
    named_arrays      the arrays that a variable leads to
    trace_hooks       Python's hooks for running code
    file_data         X, y and the parameters of the file, or random samples if it has none
    declarations      ``network = "4-10-3"`` and the like, from the file or from the command line
    no_answer         the words for a function that raises, ends the program or never returns
    template          a file to start from
    array_file        arrays in a .npz file instead of a program

What is done with the file is handed in by the caller, for example by the doctor.
"""

__all__: list[str] = []


def __dir__() -> list[str]:
    return __all__
