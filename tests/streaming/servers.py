"""Servers on this machine: of the web, with ranges of bytes and without, and one that speaks like Google's storage."""

import functools
import json
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit


class Handler(SimpleHTTPRequestHandler):
    """Serves the files of a folder."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        span = self.headers.get("Range")
        path = self.translate_path(self.path)
        server.asked.append((self.path, span))
        if server.faults and "." in self.path:
            fault = server.faults.pop(0)
            if isinstance(fault, int):
                self.send_error(fault)
            else:
                self._break(path)
            return
        if span is None or not server.ranges:
            super().do_GET()
            return
        with open(path, "rb") as file:
            content = file.read()
        first, last = span.removeprefix("bytes=").split("-")
        content = content[int(first) : int(last) + 1]
        server.sent += len(content)
        self.send_response(206)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _break(self, path):
        """Send half of a file."""
        with open(path, "rb") as file:
            content = file.read()
        self.send_response(200 if self.headers.get("Range") is None else 206)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.close_connection = True


class GoogleHandler(Handler):
    """Serves the files of a folder as objects in the bucket "bucket"."""

    def do_GET(self):
        parts, folder = urlsplit(self.path), self.directory
        asked, path = parse_qs(parts.query), parts.path
        if path.startswith("/download"):
            path = path.removeprefix("/download")
        names = path.removeprefix("/storage/v1/b/").split("/o", 1)
        if names[0] != "bucket":
            self._answer(404, {"error": {"code": 404, "message": "The specified bucket does not exist."}})
            return
        files = [file for file in sorted(Path(folder).rglob("*")) if file.is_file()]
        there = {file.relative_to(folder).as_posix(): file for file in files}
        inner = unquote(names[1].lstrip("/")) if len(names) > 1 else ""
        if not inner:
            prefix = asked.get("prefix", [""])[0]
            self._answer(200, {"items": [self._about(n, f) for n, f in there.items() if n.startswith(prefix)]})
        elif inner not in there:
            self._answer(404, {"error": {"code": 404, "message": "Not Found"}})
        elif asked.get("alt") == ["media"]:
            content, span = there[inner].read_bytes(), self.headers.get("Range")
            if span:
                first, _, last = span.removeprefix("bytes=").partition("-")
                content = content[int(first) : int(last) + 1 if last else None]
            self.send_response(206 if span else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        else:
            self._answer(200, self._about(inner, there[inner]))

    @staticmethod
    def _about(name, file):
        stat = file.stat()
        about = {"name": name, "bucket": "bucket", "size": str(stat.st_size), "etag": str(stat.st_mtime_ns)}
        return {**about, "kind": "storage#object", "generation": "1", "updated": "2026-01-01T00:00:00.000Z"}

    def _answer(self, status, about):
        content = json.dumps(about).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(folder, *, ranges=True, handler=Handler):
    """Serve a folder on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    server.ranges, server.faults, server.asked, server.sent, server.daemon_threads = ranges, [], [], 0, True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
