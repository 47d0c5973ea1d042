"""The platform's resources that a record can belong to."""

from typing import Final

LINKS: Final = (
    "conversationId",
    "messageId",
    "taskId",
    "contactId",
    "blueprintId",
    "botId",
    "datasetId",
    "skillsetId",
    "abilityId",
    "processorId",
    "documentId",
    "executionId",
)
"""Their names on the wire, which are also the keys under which a record keeps them."""
