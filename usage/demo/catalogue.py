"""What the demo's platform offers: models with their prices and tempers, and the ways in which calls fail."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Model:
    """A model, with what its calls look like.

    Units: rates in nanos a token (a page for ``page_rate``), ``latency_ms`` the median until the first token,
    ``token_ms`` what each further token takes, ``spread`` the sigma of the logarithms.
    """

    name: str
    provider: str
    prompt_rate: int
    cached_rate: int
    completion_rate: int
    latency_ms: float
    token_ms: float
    spread: float
    failing: float
    page_rate: int = 0

    def cost_nanos(self, *, prompt: int, cached: int, completion: int, pages: int = 0) -> int:
        """Return what a call is worth, by which the platform takes credits and quota for it."""
        fresh = (prompt - cached) * self.prompt_rate
        return fresh + cached * self.cached_rate + completion * self.completion_rate + pages * self.page_rate


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail.

    Units: ``latency_ms`` the median time until it shows; None: as long as the call would have taken.
    """

    status_code: int
    error_type: str
    latency_ms: float | None


GPT: Final = Model("gpt-4.1", "openai", 2000, 500, 8000, 620, 11, 0.35, 0.008)
GPT_MINI: Final = Model("gpt-4.1-mini", "openai", 400, 100, 1600, 410, 6, 0.33, 0.007)
GPT_OLD: Final = Model("gpt-4o-mini", "openai", 150, 75, 600, 480, 8, 0.38, 0.011)
EMBEDDING: Final = Model("text-embedding-3-small", "openai", 20, 20, 0, 95, 0, 0.4, 0.003)
SONNET: Final = Model("claude-sonnet-4-5", "anthropic", 3000, 300, 15000, 880, 14, 0.32, 0.006)
HAIKU: Final = Model("claude-haiku-4-5", "anthropic", 1000, 100, 5000, 360, 7, 0.3, 0.006)
FLASH: Final = Model("gemini-2.5-flash", "google", 300, 30, 2500, 330, 5, 0.42, 0.009)
PRO: Final = Model("gemini-2.5-pro", "google", 1250, 125, 10000, 1450, 10, 0.45, 0.012)
OCR: Final = Model("mistral-ocr-latest", "mistral", 0, 0, 0, 1900, 0, 0.6, 0.015, page_rate=1_000_000)
FINE_TUNED: Final = Model("support-finetune-v3", "in-house", 0, 0, 0, 540, 9, 0.36, 0.01)
"""A model of its own, which no price list knows."""

Ways = tuple[tuple[Failure, int], ...]
"""Ways to fail with their weights."""

USUAL: Final[Ways] = (
    (Failure(429, "rate_limit_exceeded", 45), 40),
    (Failure(500, "upstream_error", None), 18),
    (Failure(503, "overloaded", 160), 16),
    (Failure(504, "timeout", 30_000), 12),
    (Failure(400, "invalid_request", 12), 14),
)
UPSTREAM_DOWN: Final[Ways] = (
    (Failure(503, "overloaded", 2_400), 55),
    (Failure(504, "timeout", 30_000), 30),
    (Failure(500, "upstream_error", None), 15),
)
TRYING_OUT: Final[Ways] = (
    (Failure(400, "invalid_request", 10), 60),
    (Failure(422, "validation_failed", 14), 25),
    (Failure(429, "rate_limit_exceeded", 40), 15),
)
