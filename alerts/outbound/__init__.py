"""Requests to addresses that organizations gave: to no private place, only where vetted, within a time."""

from alerts.outbound.addresses import AddressRefused, Networks
from alerts.outbound.client import Answer, Exchange, Unanswered, exchange

__all__ = ["AddressRefused", "Answer", "Exchange", "Networks", "Unanswered", "exchange"]
