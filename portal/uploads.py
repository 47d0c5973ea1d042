"""Files in forms: which pages take them, and how large they may be, before any of it is kept."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

_AROUND: Final = 64 * 1024
"""What a form has besides its file, at most."""
_READ_ON: Final = 4
"""How many times the limit is still read to its end, so that a browser sees the answer."""
_TOO_LARGE: Final = "headroom.upload_too_large"


class Bounded(FileUploadHandler):
    """Lets files through to members' pages that take them (``UPLOAD_VIEWS``), up to ``IMPORT_MAX_BYTES``.

    The form is read before its page is asked, so what nobody may send has to be stopped here.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._whole = 0
        self._seen = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],  # noqa: N803 so it is called
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Note how long the whole request is."""
        self._whole = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a file that nobody asked for, or that is known to be too large."""
        super().new_file(*args, **kwargs)
        if not self._is_welcome():
            raise StopUpload(connection_reset=True)
        if self._whole > settings.IMPORT_MAX_BYTES + _AROUND:
            self._stop()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """Hand on what fits."""
        self._seen += len(raw_data)
        if self._seen > settings.IMPORT_MAX_BYTES:
            self._stop()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""

    def _is_welcome(self) -> bool:
        match = getattr(self.request, "resolver_match", None)
        user = getattr(self.request, "user", None)
        return (
            match is not None
            and match.view_name in settings.UPLOAD_VIEWS
            and user is not None
            and user.is_authenticated
        )

    def _stop(self) -> None:
        if self.request is not None:
            self.request.META[_TOO_LARGE] = True
        raise StopUpload(connection_reset=self._whole > _READ_ON * settings.IMPORT_MAX_BYTES)


def was_too_large(request: HttpRequest) -> bool:
    """Tell whether a file of the form was not read because it is too large."""
    return bool(request.META.get(_TOO_LARGE))
