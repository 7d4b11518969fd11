"""Unpack a compressed drop: one file in it, of bounded size, and nothing that could be a trap.

What an archive says about itself is checked before anything in it is opened. What comes out is counted in a first pass
that keeps nothing, so a bomb costs neither memory nor disk.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator

from huaxiang.landing.mapping import Problem

# Text is read whole, and takes about four times its size in memory: a larger drop comes in parts, or as Parquet.
MOST_BYTES = 2**30
# Rows of text compress 5 to 20 times, seldom 100 times; a bomb 1,000 times. Small files may be as even as they like.
MOST_RATIO = 200
RATIO_COUNTS_FROM = 50 * 2**20
MOST_MEMBERS = 1_000
_MOST_DIRECTORY = 2**17
_CHUNK = 2**16
_PACKED = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
)
_PACKED_NAMES = (".zip", ".gz", ".tgz", ".tar", ".bz2", ".xz", ".7z", ".rar", ".zst")
_CUT = Problem("TRUNCATED", "the compressed file breaks off")
_DAMAGED = Problem("UNREADABLE", "the compressed file is damaged")


class BadArchive(Exception):
    """The file is no archive that can be used; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def is_packed(raw: bytes) -> bool:
    """Whether the bytes begin like a compressed file."""
    return raw.startswith(_PACKED)


def unpacked(raw: bytes, compression: str) -> bytes:
    """What is in a `gzip` or `zip` file. Raises BadArchive."""
    parts = _gunzip if compression == "gzip" else _unzip
    total = 0
    for consumed, part in parts(raw):
        if not total and is_packed(part):
            raise _trap("holds another archive")
        total += len(part)
        if total > MOST_BYTES:
            raise _trap(f"holds more than {MOST_BYTES // 2**20:,} MiB")
        if total > RATIO_COUNTS_FROM and total > MOST_RATIO * consumed:
            raise _trap(f"is more than {MOST_RATIO} times smaller than what it holds")
    return b"".join(part for _, part in parts(raw))


def _gunzip(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(bytes read so far, what came out of them), piece by piece; several members follow each other."""
    view, at, members = memoryview(raw), 0, 0
    while at < len(raw):
        if members and not raw[at:].strip(b"\0"):
            return  # padding
        members += 1
        if members > MOST_MEMBERS:
            raise _trap(f"has more than {MOST_MEMBERS:,} members")
        if raw[at : at + 2] != b"\x1f\x8b"[: len(raw) - at]:
            raise BadArchive(Problem("UNREADABLE", "not a gzip file" if members == 1 else "bytes after its end"))
        one = zlib.decompressobj(wbits=31)
        while not one.eof:
            given = one.unconsumed_tail
            if not given:
                given = bytes(view[at : at + _CHUNK])
                at += len(given)
                if not given:
                    raise BadArchive(_CUT)
            try:
                part = one.decompress(given, 16 * _CHUNK)
            except zlib.error:
                raise BadArchive(_DAMAGED) from None
            if part:
                yield at, part
        at -= len(one.unused_data)
    if not members:
        raise BadArchive(_CUT)


def _unzip(raw: bytes) -> Iterator[tuple[int, bytes]]:
    file = io.BytesIO(raw)
    try:
        _check_directory(raw)
        with zipfile.ZipFile(file) as archive:
            (member,) = archive.infolist()
            _check_member(member)
            with archive.open(member) as opened:
                while part := opened.read(16 * _CHUNK):
                    yield max(file.tell(), 1), part
    except EOFError:
        raise BadArchive(_CUT) from None
    # RuntimeError: the directory names a version, a flag or a password that zipfile does not serve.
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, OSError):
        raise BadArchive(_DAMAGED) from None


def _check_directory(raw: bytes) -> None:
    """Read how many members there are before anyone builds a list of them."""
    at = raw.rfind(b"PK\x05\x06", max(0, len(raw) - 2**16 - 22))
    if at < 0 or len(raw) < at + 22:
        is_begun = raw.startswith(b"PK\x03\x04"[: len(raw)])
        raise BadArchive(_CUT if is_begun else Problem("UNREADABLE", "not a ZIP file"))
    _, _, _, count, size, _, _ = struct.unpack("<4H2LH", raw[at + 4 : at + 22])
    if count != 1 or size > _MOST_DIRECTORY:
        raise _trap("does not hold exactly one file")


def _check_member(member: zipfile.ZipInfo) -> None:
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    steps = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in steps or ":" in name or "\0" in name:
        raise _trap("names a file outside itself")
    if kind not in (0, stat.S_IFREG) or member.is_dir():
        raise _trap("holds a link, a folder or a device in place of a file")
    if member.flag_bits & 1:
        raise _trap("is encrypted")
    if name.casefold().endswith(_PACKED_NAMES):
        raise _trap("holds another archive")
    if member.file_size > MOST_BYTES:
        raise _trap(f"holds more than {MOST_BYTES // 2**20:,} MiB")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _trap("is compressed in a way other than deflate")


def _trap(what: str) -> BadArchive:
    return BadArchive(Problem("ARCHIVE", f"the archive {what}"))
