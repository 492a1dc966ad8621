"""The diagnosis in words: what is wrong, the line as it should be, why, and what to do.

::

    diagnosis         Diagnosis and Finding: the verdict, its findings, and the text that the learner reads
    correction        the line as it should be, in the learner's own names and layout, and one cell in numbers
    reasons           why that line is right, in index form, derived by the calculus
    remedies          what to do about a function or a precision, where no line of the pass is wrong
    conventions       the loss that was taken to be meant, and a factor that all gradients share
    error_pattern     where the error is, and of what form, if no known mistake explains it
    json_form         a diagnosis as text, numbers, lists and dictionaries
"""
