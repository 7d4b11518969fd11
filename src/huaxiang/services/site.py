"""The site of a home's released pages: `/` is the current release, and nothing but published pages can be read.

Run as a module: `python -m huaxiang.services.site <home> <port>`. Standard library only, so that it starts at once.
"""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

HOST = "127.0.0.1"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_PAGE = re.compile(r"/releases/([A-Za-z0-9-]+)/report/((?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*)")


def page(home: Path, path: str) -> Path | None:
    """The file of a published release's report that a URL path names, or None.

    A name that begins with a dot is no page, so neither `..` nor a release that is still being sealed is found; a link
    that leads out of the report is not followed.
    """
    match = _PAGE.fullmatch(path)
    if not match:
        return None
    report = home / "releases" / match[1] / "report"
    if not (report.parent / "MANIFEST.json").is_file():
        return None
    file = (report / match[2]).resolve()
    is_published = file.is_file() and file.is_relative_to(report.resolve()) and file.suffix in _TYPES
    return file if is_published else None


def current(home: Path) -> str | None:
    """Path of the current release's first page; `CURRENT` is read anew at every call."""
    try:
        release = (home / "CURRENT").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    path = f"/releases/{release}/report/index.html"
    return path if page(home, path) else None


def server(home: Path, port: int) -> ThreadingHTTPServer:
    """A server on 127.0.0.1 that answers GET and HEAD only."""

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "huaxiang", ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def _answer(self, with_body: bool) -> None:
            if not _is_local(self.headers.get("Host", "")):
                # Another site's name that was pointed at this machine must not read the pages (DNS rebinding).
                return self._say(HTTPStatus.FORBIDDEN, "This site answers to 127.0.0.1 and localhost only.", with_body)
            path = unquote(urlsplit(self.path).path)
            if path == "/health":
                return self._say(HTTPStatus.OK, "ok", with_body)
            if path == "/":
                target = current(home)
                if target is None:
                    return self._say(HTTPStatus.NOT_FOUND, "Nothing is released yet: 'make run' does it.", with_body)
                return self._redirect(target)
            file = page(home, path)
            if file is None:
                return self._say(HTTPStatus.NOT_FOUND, "There is no such page; / is the current release.", with_body)
            return self._send(HTTPStatus.OK, file.read_bytes(), _TYPES[file.suffix], with_body)

        def _redirect(self, target: str) -> None:
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", target)
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _say(self, status: HTTPStatus, text: str, with_body: bool) -> None:
            self._send(status, f"{text}\n".encode(), "text/plain; charset=utf-8", with_body)

        def _send(self, status: HTTPStatus, body: bytes, kind: str, with_body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            # Portraits are personal data: no copy of them stays in the browser's cache.
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("X-Frame-Options", "DENY")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: a page's address may name a customer."""

    return ThreadingHTTPServer((HOST, port), Handler)


def _is_local(host: str) -> bool:
    return host.rsplit(":", 1)[0] in ("127.0.0.1", "localhost")


if __name__ == "__main__":
    server(Path(sys.argv[1]), int(sys.argv[2])).serve_forever()
