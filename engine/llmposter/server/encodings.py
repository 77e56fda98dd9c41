"""Bodies that a client compressed, unpacked within a bound, so that a small body cannot fill the memory."""

from __future__ import annotations

import zlib
from io import BytesIO
from typing import Final

from llmposter.model import BadRequest

KNOWN: Final = "gzip, deflate, zstd"
_MOST_CODINGS: Final = 2
_LARGEST_WINDOW: Final = 8 * 1024 * 1024
"""What RFC 9659 allows zstd to ask for in HTTP."""


class _TooLarge(Exception):  # noqa: N818 - it reads as what happened
    """More came out than the bound allows."""


def unpacked(body: bytes, encoding: str, most: int) -> bytes | BadRequest:
    """The body without its content codings, at most *most* bytes of it, or what is wrong with it."""
    codings = [each for each in (part.strip().lower() for part in encoding.split(",")) if each not in ("", "identity")]
    if len(codings) > _MOST_CODINGS:
        return BadRequest(f"The body is compressed {len(codings)} times over.", status=415)
    for coding in reversed(codings):
        try:
            body = _unpack(body, coding, most)
        except _TooLarge:
            return BadRequest(f"The body is larger than {most // 1024 // 1024} MiB.", status=413)
        except LookupError:
            return BadRequest(f'"{coding[:40]}" is no content encoding that is read: send {KNOWN}.', status=415)
        except ValueError:
            return BadRequest(f"The body is not the {coding} that its headers say it is.")
    return body


def _unpack(body: bytes, coding: str, most: int) -> bytes:
    match coding:
        case "gzip" | "x-gzip":
            return _gzip(body, most)
        case "deflate":
            # RFC 9110 means zlib's format; some clients send the bare stream, which cannot begin like it.
            bare = not body or body[0] & 0x0F != 8 or int.from_bytes(body[:2], "big") % 31
            return _inflate(body, -zlib.MAX_WBITS if bare else zlib.MAX_WBITS, most)[0]
        case "zstd":
            return _zstd(body, most)
        case _:
            raise LookupError(coding)


def _gzip(body: bytes, most: int) -> bytes:
    """All members, one after the other."""
    out: list[bytes] = []
    size = 0
    while body or not out:
        piece, body = _inflate(body, 16 + zlib.MAX_WBITS, most - size)
        size += len(piece)
        out.append(piece)
        if not piece and len(out) > 1000:
            raise ValueError("empty members without end")
    return b"".join(out)


def _inflate(body: bytes, window: int, most: int) -> tuple[bytes, bytes]:
    """What was packed, and what follows it."""
    unpacker = zlib.decompressobj(window)
    try:
        out = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(out) > most:
        raise _TooLarge
    if not unpacker.eof:
        raise ValueError("it ends too early")
    return out, unpacker.unused_data


def _zstd(body: bytes, most: int) -> bytes:
    from zstandard import ZstdDecompressor, ZstdError

    reader = ZstdDecompressor(max_window_size=_LARGEST_WINDOW).stream_reader(BytesIO(body), read_across_frames=True)
    try:
        out: bytes = reader.read(most + 1)
    except ZstdError as error:
        raise ValueError(str(error)) from error
    if len(out) > most:
        raise _TooLarge
    return out
