"""Take pictures of every kind of mail, light and dark, narrow and wide (`python -m scripts.mails`)."""

from __future__ import annotations

import argparse
import base64
import os
import sys
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import django

from tests.browser.chromium import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT: Final = Path(__file__).resolve().parent.parent
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
WIDTHS: Final = (360, 600)


def main() -> int:
    """Take every picture and name it."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mails", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=ROOT / ".data" / "mails", help="where to (%(default)s)"
    )
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("PUBLIC_URL", "https://headroom.example")
    django.setup()
    pages = written()
    options.output.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for theme in THEMES:
            for width in WIDTHS:
                for name, html in pages.items():
                    target = options.output / f"mail-{name}-{theme}-{width}.png"
                    take(browser, html, target, theme=theme, width=width)
                    sys.stdout.write(f"{target}\n")
    return 0


def written() -> dict[str, str]:
    """Return the HTML of each kind of mail, with its images inside."""
    from alerts.senders.mail import message
    from scripts.mail_samples import samples

    return {sample.name: _html(message(sample.job).message()) for sample in samples()}


def take(browser: Browser, html: str, target: Path, *, theme: Literal["light", "dark"], width: int) -> None:
    """Write the picture of a mail."""
    context = browser.new_context(viewport={"width": width, "height": 640}, color_scheme=theme)
    page = context.new_page()
    page.set_content(html)
    page.screenshot(path=target, full_page=True, animations="disabled")
    context.close()


def _html(mail: Message[Any, Any]) -> str:
    parts = {part.get_content_type(): part for part in mail.walk()}
    html = _content(parts["text/html"]).decode()
    if "image/png" in parts:
        image = base64.b64encode(_content(parts["image/png"])).decode()
        html = html.replace("cid:chart", f"data:image/png;base64,{image}")
    return html


def _content(part: Message[Any, Any]) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


if __name__ == "__main__":
    sys.exit(main())
