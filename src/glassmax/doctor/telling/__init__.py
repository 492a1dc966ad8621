"""The diagnosis in words: the mistake, the line as it should be, the reason, and what to do.

::

    diagnosis         Diagnosis and Finding: the verdict, its findings, and the text that the learner reads
    correction        the line as it should be, in the learner's own names and layout, and one cell in numbers
    reasons           why that line is right, in index form, derived by the calculus
    conventions       the loss that was assumed, and a factor that all gradients share
    error_pattern     place and form of an error that no known mistake explains
    html_form         a diagnosis for a notebook
    json_form         a diagnosis as text, numbers, lists and dictionaries
"""
