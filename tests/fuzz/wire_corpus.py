"""Seeds for kafka_request_fuzz: requests of every type and version, as wire_codec_tool prints them.

Usage: wire_codec_tool 2 SEED | wire_corpus.py MESSAGE-LIST-HEADER KAFKA-REQUEST-FUZZ-SOURCE FOLDER
"""
import re
import sys
from pathlib import Path


def decoders(header: str, source: str) -> list[str]:
    """The names of kDecoders, in its order: the fuzzer's first byte chooses one."""
    listed = re.search(r"#define TIDEMILL_WIRE_REQUESTS\(X\)((?:.*\\\n)*.*)", header).group(1)
    table = re.search(r"kDecoders\[\] = \{(.*?)\};", source, re.S).group(1)
    names = []
    for entry in re.findall(r"<wire::(\w+)>|&(\w+),|(TIDEMILL_WIRE_REQUESTS)", table):
        names += re.findall(r"X\((\w+)\)", listed) if entry[2] else [entry[0] or entry[1]]
    return names


def main() -> None:
    names = decoders(Path(sys.argv[1]).read_text(), Path(sys.argv[2]).read_text())
    folder = Path(sys.argv[3])
    lowest: dict[str, int] = {}
    for number, line in enumerate(sys.stdin):
        name, version, digits, _ = line.split(" ", 3)
        if name not in names:
            continue
        lowest.setdefault(name, int(version))
        data = bytes([names.index(name), int(version) - lowest[name]]) + bytes.fromhex(digits)
        (folder / f"{name}-{version}-{number}").write_bytes(data)
    assert len(lowest) > 30, f"only {len(lowest)} types of requests"


if __name__ == "__main__":
    main()
