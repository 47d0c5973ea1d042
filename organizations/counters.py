"""Requests counted in Redis by windows of time, and what happens while Redis is away: nothing is counted."""

import os
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from typing import Any, Final

import structlog
from django.conf import settings
from redis import ConnectionPool
from redis.exceptions import ConnectionError as Broken
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as Late

TIMEOUT_SECONDS: Final = 0.25
"""How long Redis may take: rarely anything, but a busy machine must not look like one whose Redis is away."""
PAUSE_SECONDS: Final = 5.0
"""How long Redis is left alone after it failed to answer."""
REMINDER_SECONDS: Final = 60.0
"""How often the log says that Redis is still away."""

# A subject is one hash: the requests of its last window; when that ends, in Unix milliseconds; and by the
# number of the day since 1970 (UTC) the most that any ended window which began on it has had.

TAKE: Final = """
local now, window, limit, days = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'used', 'ends')
local used, ends = tonumber(held[1] or '0'), tonumber(held[2] or '0')

local function keep_peak()
  local day = math.floor((ends - window) / 86400000)
  local field = string.format('%d', day)
  local peak = redis.call('HGET', KEYS[1], field)
  if used > tonumber(peak or '0') then redis.call('HSET', KEYS[1], field, used) end
  if peak then return end
  for _, old in ipairs(redis.call('HKEYS', KEYS[1])) do
    if (tonumber(old) or day) <= day - days then redis.call('HDEL', KEYS[1], old) end
  end
end

-- A window that ends too far ahead is of a clock that has been put back since.
if now >= ends or ends > now + 2 * window then
  if used > 0 then keep_peak() end
  used, ends = 0, now + window
  redis.call('HSET', KEYS[1], 'used', 0, 'ends', string.format('%d', ends))
  redis.call('EXPIRE', KEYS[1], (days + 1) * 86400)
end
if used >= limit then return {0, used, ends} end
return {1, redis.call('HINCRBY', KEYS[1], 'used', 1), ends}
"""
"""Count one request of KEYS[1]. ARGV: now and the window (ms), the limit, the days that peaks are kept.

Answers whether it is allowed, the requests allowed in the window so far, and the window's end (ms)."""

READ: Final = """
local now, window, first, last = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}
for place, key in ipairs(KEYS) do
  local held, fields = {}, redis.call('HGETALL', key)
  for at = 1, #fields, 2 do held[fields[at]] = tonumber(fields[at + 1]) end
  local used, ends, peak = held.used or 0, held.ends or 0, 0
  local day = math.floor((ends - window) / 86400000)
  if first <= day and day <= last then peak = used end
  for field, most in pairs(held) do
    local of = tonumber(field)
    if of and first <= of and of <= last and most > peak then peak = most end
  end
  if now >= ends or ends > now + 2 * window then used, ends = 0, now + window end
  found[place] = {used, ends, peak}
end
return found
"""
"""Read the state of every key. ARGV: now and the window (ms), the first and the last day whose peak counts.

Answers for each key the requests allowed in its window, that window's end (ms), and the peak; where no window
runs, none and the end of one that would begin now."""

log: Final = structlog.get_logger(__name__)


class Counters:
    """The counters in one Redis.

    Concurrency: for any number of threads and processes; connections are made after a fork, and kept.
    """

    def __init__(self, url: str) -> None:
        self._connections = _Connections(url)
        self._circuit = _Circuit()
        self._digests = {
            script: sha1(script.encode(), usedforsecurity=False).hexdigest() for script in (TAKE, READ)
        }

    def run(self, script: str, keys: Sequence[str], *arguments: int) -> list[Any] | None:
        """Run a script in one round trip, and return what it answers; None while Redis is away."""
        if not self._circuit.lets_through():
            return None
        try:
            found = self._run(script, (len(keys), *keys, *arguments))
        except RedisError as error:
            self._circuit.failed(error)
            return None
        self._circuit.answered()
        return found

    def _run(self, script: str, arguments: tuple[str | int, ...]) -> list[Any]:
        try:
            return self._connections.ask("EVALSHA", self._digests[script], *arguments)
        except NoScriptError:
            return self._connections.ask("EVAL", script, *arguments)


class _Connections:
    """Connections to one Redis, without what its client does around each command and takes longer for."""

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._idle: deque[Any] = deque()
        self._process = os.getpid()

    def ask(self, *command: str | int) -> list[Any]:
        """Return the answer to a command; one to which a kept connection has broken is sent once more.

        Raises: RedisError.
        """
        if self._process != os.getpid():
            self._idle, self._process = deque(), os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._asked(self._new(), command)
        try:
            return self._asked(connection, command)
        except Broken:
            return self._asked(self._new(), command)

    def _new(self) -> Any:
        connection = self._pool.connection_class(**self._pool.connection_kwargs)
        connection.connect()
        _wait_in_kernel(connection._sock)  # noqa: SLF001 its own timeout costs a call of the system each time
        return connection

    def _asked(self, connection: Any, command: tuple[str | int, ...]) -> list[Any]:
        try:
            connection.send_command(*command)
            answer: list[Any] = connection.read_response()
        except Broken as error:
            if isinstance(error.__context__, BlockingIOError):
                raise Late(str(error)) from error
            raise
        finally:
            if connection.is_connected:
                self._idle.append(connection)
        return answer


def _wait_in_kernel(connected: socket.socket) -> None:
    """Have the kernel keep the timeout, so that each transfer is one call of the system and not two.

    Threads that share an interpreter hand it over at every such call. What is late raises BlockingIOError.
    """
    if isinstance(connected, ssl.SSLSocket):
        return
    seconds, rest = divmod(TIMEOUT_SECONDS, 1)
    timeout = struct.pack("@ll", int(seconds), int(rest * 1_000_000))
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
    connected.settimeout(None)


def counters() -> Counters:
    """Return the counters in the Redis of the settings."""
    return _of(settings.REDIS_URL)


@cache
def _of(url: str) -> Counters:
    return Counters(url)


class _Circuit:
    """Keeps a Redis that doesn't answer from costing every request its timeout, and the log a line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._away = False
        self._ask_from = 0.0
        self._tell_from = 0.0

    def lets_through(self) -> bool:
        """Return whether to ask Redis: always while it answers, else one request after every pause."""
        if not self._away:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._ask_from:
                return False
            self._ask_from = now + PAUSE_SECONDS
            return True

    def failed(self, error: Exception) -> None:
        """Leave Redis alone for a while, and say so, though not each time."""
        with self._lock:
            now = time.monotonic()
            self._away, self._ask_from = True, now + PAUSE_SECONDS
            if now < self._tell_from:
                return
            self._tell_from = now + REMINDER_SECONDS
        log.warning("rate limits are not enforced: Redis does not answer", error=str(error))

    def answered(self) -> None:
        """Ask always again, and say so if it was otherwise."""
        if not self._away:
            return
        with self._lock:
            self._away, self._tell_from = False, 0.0
        log.info("rate limits are enforced again: Redis answers")
