"""What the pages of events and deliveries have in common."""

from uuid import UUID

from core.params import Params
from core.problems import invalid_parameter


def identity(params: Params, name: str) -> UUID | None:
    """Return a parameter that is the id of something.

    Raises: `Problem` 400.
    """
    value = params.text(name, max_length=36)
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise invalid_parameter(name, f"{name} must be an id, as this API gives them out.") from error
