"""Files that are elsewhere: ``s3://``, ``gs://``, ``https://``, ``http://``; read by fsspec, of the extra ``[remote]``.

A file is read in ranges of bytes, each of which is asked for again if the connection breaks. A web server that has no
ranges is asked for the whole file once, which is then read from a temporary file without a name. Every wait has a
limit. Credentials come from where the tools of each cloud have them; a URL is shown without its user, password and
query, because a query may hold a signature.
"""

import io
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from ..errors import DataError

__all__ = [
    "BLOCK_BYTES",
    "RemoteFile",
    "Version",
    "find_remote",
    "is_folder",
    "is_remote",
    "shown",
    "unquoted",
    "version_of",
]

CONNECT_SECONDS, READ_SECONDS = 20.0, 30.0
"""The longest wait for a connection, and for an answer or its next bytes."""
PAUSES = (0.5, 2.0)
"""Seconds before the second and the third attempt."""
BLOCK_BYTES = 2**22
PROTOCOL = re.compile(r"(s3|s3a|gs|gcs|https?)://", re.IGNORECASE)
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}
CREDENTIALS = {
    "s3fs": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gcsfs": "run `gcloud auth application-default login`",
}

_Result = TypeVar("_Result")


class Version(NamedTuple):
    """Size in bytes, 0 if it is not known, and what else tells versions of a file apart: an etag or a time."""

    size: int
    tag: str


def is_remote(path: object) -> bool:
    """Return whether a path is a URL of a file that is elsewhere.

    Examples
    --------
    >>> is_remote("s3://bucket/part-0.parquet"), is_remote("part-0.parquet")
    (True, False)
    """
    return isinstance(path, str) and PROTOCOL.match(path) is not None


def shown(url: str) -> str:
    """Return a URL without user, password and query.

    Examples
    --------
    >>> shown("https://anna:secret@example.org/a.csv?signature=12")
    'https://example.org/a.csv'
    """
    parts = urlsplit(url)
    if not parts.scheme.startswith("http"):
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{url.partition('://')[2][len(parts.netloc) :]}"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def unquoted(url: str) -> str:
    """Return a URL without the %XX in it, where a server of the web writes them."""
    return unquote(url) if url.lower().startswith("http") else url


def version_of(url: str) -> Version:
    """Return the version of a file; without a tag if the server tells neither etag nor time.

    Raises
    ------
    DataError
        If there is no such file, it can't be read, or the server doesn't answer.
    """
    files, path = _files(url)
    about = _tried(url, lambda: files.info(path))
    if about.get("type") == "directory":
        raise DataError(f"{shown(url)} is a folder, expected a file.")
    names = ("ETag", "etag", "Last-Modified", "LastModified", "updated")
    tags = [str(about[name]) for name in names if about.get(name)]
    return Version(int(about.get("size") or 0), tags[0] if tags else "")


def is_folder(url: str) -> bool:
    """Return whether a URL names a folder; one of a web server ends with a slash."""
    if url.endswith("/"):
        return True
    if _protocol(url).startswith("http"):
        return False
    files, path = _files(url)
    return bool(_tried(url, lambda: files.isdir(path)))


def find_remote(pattern: str) -> list[str]:
    """Return the URLs of the files in a folder that ends with a slash, and in its folders; or those that match a glob.

    Raises
    ------
    DataError
        If the server can't list its files.
    """
    files, path = _files(pattern)
    path = path if path.endswith("/") or not pattern.endswith("/") else f"{path}/"
    if pattern.endswith("/"):
        ask = partial(files.find, path, detail=True)
    elif _protocol(pattern).startswith("http"):
        ask = partial(_glob_of_web, files, path)
    else:
        ask = partial(files.glob, path, detail=True)
    found = _tried(pattern, ask)
    names = [name for name, about in found.items() if not name.endswith("/") and about["type"] == "file"]
    if _protocol(pattern).startswith("http"):
        return [name for name in names if not urlsplit(name).query]  # a link that sorts the list
    return [files.unstrip_protocol(name) for name in names]


def _glob_of_web(files: Any, pattern: str) -> dict[str, Any]:
    """Return the files that match a glob, whose names a server may list with %XX in them."""
    from fsspec.utils import glob_translate

    root, _, _ = pattern[: re.search(r"[*[]", pattern).start()].rpartition("/")  # type: ignore[union-attr]
    depth = None if "**" in pattern else pattern.count("/", len(root) + 1) + 1
    matches = re.compile(glob_translate(unquote(pattern))).match
    found = files.find(f"{root}/", maxdepth=depth, detail=True)
    return {name: about for name, about in found.items() if matches(unquote(name))}


class RemoteFile(io.RawIOBase):
    """A file that is elsewhere, read in ranges of bytes.

    Parameters
    ----------
    url : str

    Raises
    ------
    DataError
        If there is no such file, or it can't be read; also while it is read.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url, self._at = url, 0
        self._files, self._path = _files(url)
        self._file: Any = _tried(url, self._opened)
        if not hasattr(self._file, "cache") or not self._file.size:  # a stream, which can't be read again
            self._copy()

    def __repr__(self) -> str:
        return f"RemoteFile({shown(self.url)!r})"

    def _opened(self) -> Any:
        return self._files.open(self._path, "rb", cache_type="none")

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def size(self) -> int:
        """Return the number of bytes."""
        return int(self._file.size) if hasattr(self._file, "size") else self._file.seek(0, io.SEEK_END)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (self.size() if start is None else start)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all of the rest by default."""
        size = max(0, self.size() - self._at) if size is None or size < 0 else size
        try:
            block = _tried(self.url, lambda: self._block(size))
        except _NoRangesError:
            self._copy()
            block = self._block(size)
        self._at += len(block)
        return block

    def readall(self) -> bytes:
        """Return the rest."""
        return self.read()

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer."""
        block = self.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()

    def _block(self, size: int) -> bytes:
        self._file.seek(self._at)
        block: bytes = self._file.read(size)
        return block

    def _copy(self) -> None:
        """Take the whole file, because there are no ranges of it."""
        self._file.close()
        self._file = _tried(self.url, self._copied)

    def _copied(self) -> IO[bytes]:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this file
        try:
            with self._files.open(self._path, "rb", block_size=0) as stream:
                try:
                    shutil.copyfileobj(stream, copy, BLOCK_BYTES)
                except OSError as error:
                    if error.errno is None:
                        raise
                    folder, why = tempfile.gettempdir(), error.strerror
                    raise DataError(
                        f"{shown(self.url)} can't be copied to {folder}: {why}. Free some space there."
                    ) from None
            copy.flush()
        except BaseException:
            copy.close()
            raise
        return copy


class _NoRangesError(Exception):
    """The server has no ranges of bytes."""


def _protocol(url: str) -> str:
    return url.partition("://")[0].lower()


def _files(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and what it calls the file."""
    protocol = _protocol(url)
    try:
        files = _file_system(protocol)
    except ImportError as error:
        package = getattr(error, "name", None) or PACKAGES[protocol]
        raise DataError(
            f"{shown(url)} can't be read: {protocol}:// needs {package}, which is not installed. Install it: "
            "pip install 'glassmax[remote]'"
        ) from None
    return files, files._strip_protocol(f"{protocol}://{url.partition('://')[2]}")


@lru_cache
def _file_system(protocol: str) -> Any:
    import fsspec

    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    package = PACKAGES[protocol]
    if package == "aiohttp":
        from aiohttp import ClientTimeout

        waits = {"connect": CONNECT_SECONDS, "sock_connect": CONNECT_SECONDS, "sock_read": READ_SECONDS}
        options["client_kwargs"] = {"timeout": ClientTimeout(total=None, **waits), "trust_env": True}
        options["headers"] = {"Accept-Encoding": "identity"}  # or ranges would be ranges of something packed
    elif package == "s3fs":
        limits = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS, "retries": {"max_attempts": 1}}
        options["config_kwargs"] = limits
    else:
        options["timeout"] = READ_SECONDS
    files = fsspec.get_filesystem_class(protocol)(**options)
    if package == "s3fs":
        files.retries = 1  # see `_tried`
    return files


def _tried(url: str, ask: Callable[[], _Result]) -> _Result:
    """Return what a server answers; ask again if the connection breaks, and raise in words in the end."""
    for pause in (*PAUSES, None):
        try:
            return ask()
        except (DataError, _NoRangesError):
            raise
        except Exception as error:
            if isinstance(error, ValueError) and "range requests" in str(error):
                raise _NoRangesError from None
            fault = _fault(url, error)
            if pause is None or not fault.may_pass:
                raise DataError(f"{shown(url)} can't be read: {fault.words}") from None
            time.sleep(pause)
    raise AssertionError


class _Fault(NamedTuple):
    words: str
    may_pass: bool = False


def _fault(url: str, error: BaseException) -> _Fault:
    """Return what went wrong, in words that hold no credentials."""
    package = PACKAGES[_protocol(url)]
    causes = list(_causes(error))
    names = {name for cause in causes for kind in type(cause).__mro__ for name in [kind.__name__]}
    status = next((found for cause in causes if (found := _status(cause))), 0)
    texts = " ".join(map(str, causes))
    where = f"To use other credentials, {CREDENTIALS[package]}." if package in CREDENTIALS else ""
    host = urlsplit(url).netloc.rpartition("@")[2]
    if names & {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError", "ProfileNotFound"}:
        return _Fault(f"no credentials were found. To provide credentials, {CREDENTIALS[package]}.")
    if "bucket does not exist" in texts or "NoSuchBucket" in texts:
        return _Fault(f"there is no bucket {host!r}.")
    if status in (401, 403, 407) or names & {"PermissionError"}:
        return _Fault(f"the server refuses access{f' ({status})' if status else ''}. {where}".rstrip())
    if names & {"TimeoutError", "FSTimeoutError", "ReadTimeoutError", "ConnectTimeoutError"}:
        return _Fault("the server doesn't answer in time. Try again later.", may_pass=True)
    if status == 429 or status >= 500 or names & {"BlockingIOError"}:
        number = f" ({status})" if status else ""
        return _Fault(f"the server is busy or broken{number}. Try again later.", may_pass=True)
    if names & {"FileExpired"}:
        return _Fault("the file has changed during the run. Start again; write new rows into a separate file.")
    if names & {"ClientConnectorCertificateError", "ClientSSLError", "SSLError"}:
        return _Fault("the certificate of the server isn't trusted.")
    if names & {
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectionError",
        "EndpointConnectionError",
        "HTTPClientError",
        "IncompleteRead",
        "ServerDisconnectedError",
    }:
        return _Fault("the server can't be reached, or the connection broke.", may_pass=True)
    if status == 404 or names & {"FileNotFoundError", "NotFound"}:
        return _Fault("there is no such file.")
    if status:
        return _Fault(f"the server answers with {status}.")
    return _Fault(f"{type(error).__name__} was raised. Try again, or copy the file here.")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _status(error: BaseException) -> int:
    """Return the status of HTTP that an error tells; 0 if it tells none."""
    response = getattr(error, "response", None)
    about = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    found = about.get("HTTPStatusCode") or getattr(error, "status", None)
    if found is None:
        found = getattr(error, "code", None)
    return int(found) if isinstance(found, int | str) and re.fullmatch(r"[1-5]\d\d", str(found)) else 0
