"""An archive in place of a data folder: unpacked beside the cached faces, as far as it can be read."""
import lzma
from pathlib import Path
import shutil
import sys
import tarfile
import zipfile
import zlib

from .data import DataError

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError)


def unpacked(source: Path) -> Path:
    """`source` itself, or the folder that the archive `source` was unpacked to (once: by name, size and time)."""
    if not source.name.lower().endswith(ENDINGS) or not source.is_file():
        return source
    from .faces import CACHE
    there = source.stat()
    place = CACHE / "unpacked" / f"{source.name}-{there.st_size}-{int(there.st_mtime)}"
    if not place.is_dir():
        part = place.with_name(place.name + ".part")
        shutil.rmtree(part, ignore_errors=True)  # of a call that was cut off
        part.mkdir(parents=True)
        count, damage = (_unzip if source.name.lower().endswith(".zip") else _untar)(source, part)
        if damage:
            print(f"{source}: damaged or cut off after {count} files ({damage}); these are used, get it again", file=sys.stderr,
                  flush=True)
        if not count:
            shutil.rmtree(part)
            raise DataError(f"{source}: no file could be unpacked ({damage or 'it is empty'}); get it again")
        part.replace(place)
    return _inner(place)


def _untar(source: Path, place: Path) -> tuple[int, str]:
    """Files unpacked, and what ended it before its time."""
    count = 0
    try:
        with tarfile.open(source, "r|*") as archive:  # as a stream, so what stands before the damage is read
            for member in archive:
                if member.isfile():
                    try:
                        archive.extract(member, place, filter="data")
                    except _DAMAGE:
                        # Of a table the whole rows count; half a picture is none.
                        if member.name.lower().endswith(".csv"):
                            count += 1
                        else:
                            (place / member.name).unlink(missing_ok=True)
                        raise
                    count += 1
    except _DAMAGE as error:
        return count, str(error)
    return count, ""


def _unzip(source: Path, place: Path) -> tuple[int, str]:
    count, failed, first = 0, 0, ""
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                try:
                    archive.extract(member, place)
                    count += not member.is_dir()
                except _DAMAGE as error:
                    failed, first = failed + 1, first or f"{member.filename}: {error}"
    except _DAMAGE as error:  # the table of contents stands at a zip's end
        return count, str(error)
    return count, f"{failed} files, {first}" if failed else ""


def _inner(place: Path) -> Path:
    """Down through folders that hold nothing but one folder (fer2013/fer2013.csv)."""
    while True:
        inside = list(place.iterdir())
        if len(inside) != 1 or not inside[0].is_dir():
            return place
        place = inside[0]
