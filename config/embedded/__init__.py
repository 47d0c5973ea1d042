"""PostgreSQL and Redis from their wheels, for a start without servers of one's own and for the tests."""

from __future__ import annotations

from config.embedded.postgres import EmbeddedPostgres
from config.embedded.process import ServerError
from config.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "ServerError"]
