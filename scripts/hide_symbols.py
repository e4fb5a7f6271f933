#!/usr/bin/env python3
"""Makes chosen exported symbols of a shared library private to it, in place.

Prebuilt Arrow libraries export the RE2, simdjson and OpenSSL they carry inside. A program that also uses the system's
RE2 would call Arrow's copy through the system's headers, and the reverse: wrong answers without any message. A dynamic
symbol marked STV_HIDDEN is skipped when other objects look names up, and references from inside its own library bind
to it directly, so each side keeps its own copy.

Usage: hide_symbols.py LIBRARY PATTERN...      (regular expressions, searched in the mangled name)
       hide_symbols.py --check LIBRARY PATTERN...   exits 1 when a matching symbol is still exported
"""

import mmap
import re
import struct
import sys

SHT_DYNSYM = 11
SHN_UNDEF = 0
STV_HIDDEN = 2
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")


def sections(image):
    if image[:4] != b"\x7fELF" or image[4] != 2 or image[5] != 1:
        raise SystemExit("not a 64-bit little-endian ELF file")
    offset = struct.unpack_from("<Q", image, 0x28)[0]
    size, count = struct.unpack_from("<HH", image, 0x3A)
    return [SECTION.unpack_from(image, offset + i * size) for i in range(count)]


def exported(image, patterns):
    """Yields (offset of the entry's st_other, name) of each exported dynamic symbol that matches."""
    table = sections(image)
    for _, kind, _, _, offset, size, link, _, _, entry_size in table:
        if kind != SHT_DYNSYM:
            continue
        strings = table[link][4]
        for at in range(offset, offset + size, entry_size):
            name_at, _, other, section, _, _ = SYMBOL.unpack_from(image, at)
            if section == SHN_UNDEF or other & 3 == STV_HIDDEN:
                continue
            start = strings + name_at
            name = image[start : image.find(b"\0", start)].decode("ascii", "replace")
            if any(pattern.search(name) for pattern in patterns):
                yield at + 5, name


def main(arguments):
    check = arguments[:1] == ["--check"]
    if check:
        arguments = arguments[1:]
    if len(arguments) < 2:
        raise SystemExit(__doc__)
    path, patterns = arguments[0], [re.compile(p) for p in arguments[1:]]
    with open(path, "rb" if check else "r+b") as file:
        access = mmap.ACCESS_READ if check else mmap.ACCESS_WRITE
        with mmap.mmap(file.fileno(), 0, access=access) as image:
            found = list(exported(image, patterns))
            if check:
                for _, name in found:
                    print(f"{path}: still exports {name}")
                return 1 if found else 0
            for at, _ in found:
                image[at] = (image[at] & ~3) | STV_HIDDEN
    print(f"{path}: {len(found)} symbols made private")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
