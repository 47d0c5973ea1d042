"""What records say: their types and models, each with how many in a hundred it has."""

from typing import Final

MODELS: Final = (
    ("gpt-4o", "openai", 30), ("gpt-4o-mini", "openai", 25), ("claude-sonnet-4", "anthropic", 18),
    ("claude-haiku-4", "anthropic", 10), ("gemini-2.5-flash", "google", 9), ("mistral-large", "mistral", 5),
    ("llama-3.3-70b", "groq", 3),
)  # fmt: skip
TYPES: Final = (
    ("conversation.completion", "/v1/chat", "chat", 70),
    ("ability.invocation", "/v1/invoke", "tools", 15),
    ("task.execution", "/v1/tasks", "tasks", 10),
    ("processor.run", "/v1/run", "documents", 5),
)

ELSEWHERE: Final = "elsewhere-only"
"""In a dataset, the model of three records in ten of every organization but the large one, with eight."""
