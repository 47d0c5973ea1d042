"""What ends an import as a whole; a line that is wrong is a `Fault` and only left out."""


class ImportProblem(Exception):
    """The import can't begin or can't go on, in words for whoever runs it."""
