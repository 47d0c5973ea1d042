"""What was chosen for a file: the field that each of its columns fills, and what no column says."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from usage.imports import fields
from usage.imports.mapping import Mapping, constant


@dataclass(frozen=True, slots=True)
class Choice:
    """The field of each column, empty for what is left out, and the texts of fields that all records have.

    A member of an object that is called like a group of fields, such as ``meta``, is taken as it is.
    """

    columns: Map[str, str] = field(default_factory=dict)
    constants: Map[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Map[str, Any]) -> "Choice":
        """Return the choice that was kept."""
        return cls(kept["columns"], kept["constants"])

    def kept(self) -> dict[str, Any]:
        """Return the choice as it is kept."""
        return {"columns": dict(self.columns), "constants": dict(self.constants)}

    @property
    def taken(self) -> frozenset[str]:
        """The fields that are filled."""
        return frozenset({*filter(None, self.columns.values()), *self.constants})

    def mapping(self) -> Mapping:
        """Return the mapping that this is.

        Raises: `ImportProblem` for a field that there isn't, `Fault` for a value that no record can have.
        """
        named = {column: name for column, name in self.columns.items() if name and name not in fields.GROUPS}
        return Mapping(
            columns=tuple((fields.find(name), column) for column, name in named.items()),
            constants=tuple(
                (found, constant(found, text))
                for found, text in ((fields.find(name), text) for name, text in self.constants.items())
            ),
            left_out=frozenset(column for column, name in self.columns.items() if not name),
        )
