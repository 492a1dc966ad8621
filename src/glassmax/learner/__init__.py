"""A stranger's program: found, understood, and run in a process of its own.

::

    run_file          start the process, under a limit of time and of memory, and read its answer
    child_process     inside that process: load the file, do the work, write the answer as JSON
    loaded_file       the file as a module, its functions watched
    file_data         X, y and the parameters of the file, or random rows where it has none
    declarations      ``network = "4-10-3"`` and the like, from the file or from the command line
    misbehaviour      a function that raises, ends the program or never returns, as an answer
    template          a file to start from
    array_file        arrays in an archive of NumPy, in place of a program

This package doesn't know what the file is run for: whoever runs it (the doctor, say) hands that in.
"""
