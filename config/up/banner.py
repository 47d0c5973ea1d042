"""What a start tells whoever ran it: the address, the sign-in, a request that works as printed."""

from __future__ import annotations

from config.up.demo import Demo

RECORD = '{"type":"conversation.completion","model":"gpt-4o","tokens":{"prompt":1200,"completion":300}}'
RULE = "─" * 78


def banner(url: str, demo: Demo | None) -> str:
    """Return the text to print when everything runs."""
    lines = ["", RULE, f"  Headroom   {url}", f"  API        {url}/api/docs/", ""]
    lines += _without_demo() if demo is None else _with_demo(url, demo)
    return "\n".join([*lines, "", "  Ctrl-C ends everything that was started here.", RULE, "", ""])


def _with_demo(url: str, demo: Demo) -> list[str]:
    return [
        f"  Sign in    {demo.owner}",
        f"  Password   {demo.password}",
        *_operator(url, demo),
        "",
        "  Send a record:",
        "",
        _command(url, demo.api_key),
    ]


def _operator(url: str, demo: Demo) -> list[str]:
    if not demo.operator:
        return []
    return [
        "",
        f"  Admin      {url}/admin/",
        f"  Sign in    {demo.operator}",
        f"  Password   {demo.operator_password}",
    ]


def _command(url: str, api_key: str) -> str:
    headers = f"-H 'Authorization: Bearer {api_key}' -H 'Content-Type: application/json'"
    return f"curl -sS {url}/api/v1/records {headers} -d '{RECORD}'"


def _without_demo() -> list[str]:
    return [
        "  Organizations are there already. For another one, with a key and a sign-in:",
        "",
        ".venv/bin/python manage.py create_organization NAME --plan free --owner EMAIL --json",
    ]
