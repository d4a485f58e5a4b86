"""Archives by Python's zipfile, and what it says of others. Reads JSON from standard input; see archives.ts."""

import io
import json
import os
import stat
import sys
import zipfile
import zlib

METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


class Pipe(io.RawIOBase):
    """Nobody can go back in it: sizes follow the data."""

    def __init__(self, file):
        self.file = file

    def writable(self):
        return True

    def seekable(self):
        return False

    def write(self, data):
        return self.file.write(data)


def things(folder):
    for here, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(here, name)
            yield path, os.path.relpath(path, folder)


def info_of(path, name):
    info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
    if os.path.islink(path):
        info = zipfile.ZipInfo(name, (2024, 2, 29, 12, 34, 56))
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        return info, os.readlink(path).encode()
    return info, b"" if os.path.isdir(path) else open(path, "rb").read()


def pack(folder, archive, method, is_stream=False, is_long=False, comment=""):
    with open(archive, "wb") as file:
        target = Pipe(file) if is_stream else file
        with zipfile.ZipFile(target, "w", METHODS[method]) as archive:
            archive.comment = comment.encode()
            for path, name in things(folder):
                info, content = info_of(path, name)
                info.compress_type = zipfile.ZIP_STORED if info.is_dir() else METHODS[method]
                if info.is_dir():
                    archive.writestr(info, b"")
                    continue
                with archive.open(info, "w", force_zip64=is_long) as entry:
                    entry.write(content)


def many(archive, entries):
    """Tiny files, a hundred in a folder."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for i in range(entries):
            file.writestr(f"d{i // 100}/f{i}", f"{i}\n")


class Raw(zipfile.ZipInfo):
    """A name in an encoding of its own, which nothing says."""

    def _encodeFilenameFlags(self):
        return self.filename.encode(self.encoding), self.flag_bits & ~0x800

    __slots__ = ("encoding",)


def named(archive, encoding, names):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            info = Raw(name, (2024, 2, 29, 12, 34, 56))
            info.encoding = encoding
            info.create_system = 0
            file.writestr(info, name)


def name_of(info):
    if info.flag_bits & 0x800:
        return info.filename
    raw = info.orig_filename.encode("cp437")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def listed(archives):
    """Of each: name and size of its files."""
    answer = {}
    for archive in archives:
        with zipfile.ZipFile(archive) as file:
            answer[archive] = [[name_of(i), i.file_size] for i in file.infolist() if not i.is_dir()]
    return answer


calls = {"pack": pack, "many": many, "named": named, "listed": listed}
answers = [calls[call.pop("call")](**call) for call in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
