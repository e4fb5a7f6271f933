"""Our codecs of the Kafka protocol against kafka-python's, which reads the same schemas with code of its own.

wire_codec_tool prints random messages of every type and version, as bytes and as JSON. kafka-python has to find the same values in the bytes,
and to make the same bytes from the values.
"""
import collections
import importlib.resources
import io
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from kafka.protocol.data_container import DataContainer
from kafka.protocol.schemas import BaseField, StructField

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TIDEMILL_BINARY", ROOT / "build" / "release" / "tidemill")).parent
SCHEMAS = ROOT / "src" / "log" / "wire" / "schemas"
SEED = 4
PER_VERSION = 6


def messages():
    done = subprocess.run([BUILD / "wire_codec_tool", str(PER_VERSION), str(SEED)], capture_output=True, text=True, check=True)
    by_name = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        name, version, digits, text = line.split(" ", 3)
        by_name[name].append((int(version), bytes.fromhex(digits if digits else ""), json.loads(text)))
    return by_name


MESSAGES = messages()


def load_schema(name):
    """The schema that the build used, without kafka-python's own changes to some of them."""
    own = SCHEMAS / f"{name}.json"
    text = own.read_text() if own.is_file() else importlib.resources.files("kafka.protocol.schemas.resources").joinpath(f"{name}.json").read_text()
    schema = json.loads(re.sub(r"(?m)^\s*//.*$", "", text))
    shared = {struct["name"]: struct["fields"] for struct in schema.get("commonStructs", [])}

    def resolve(fields):
        for field in fields:
            inner = field["type"].removeprefix("[]")
            if inner in shared and "fields" not in field:
                field["fields"] = shared[inner]
            resolve(field.get("fields", []))

    resolve(schema["fields"])
    if name == "RequestHeader":  # version 0 has no client id
        schema["validVersions"] = "0-2"
    return schema


def container(struct):
    made = type(struct._json["name"], (DataContainer,), {"_struct": struct})
    struct.set_data_class(made)
    return made


def plain(field, value, version):
    """A value of kafka-python as wire_codec_tool prints it."""
    if field.is_struct_array():
        return None if value is None else [fields_of(field.array_of, item, version) for item in value]
    if field.is_struct():
        if value is None and field.tagged_field_q(version):  # left out: all defaults
            value = field.data_class(version=version)
        return None if value is None else fields_of(field, value, version)
    if field.is_array():
        return None if value is None else [plain(field.array_of, item, version) for item in value]
    kind = field.type_str
    if kind == "uuid":
        return "0" * 32 if value is None else value.hex
    if value is None or kind not in ("string", "bytes", "records"):
        return value
    return (value.encode() if isinstance(value, str) else bytes(value)).hex()


def fields_of(struct, item, version):
    return {field._name: plain(field, getattr(item, field.name), version) for field in struct._fields if field.for_version_q(version)}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_codec_agrees_with_kafka_python(name):
    schema = load_schema(name)
    struct = StructField(schema)
    made = container(struct)
    first, last = BaseField.parse_versions(schema["validVersions"])
    flexible_from = BaseField.parse_versions(schema["flexibleVersions"])[0]
    header = schema["type"] == "header"
    checked = collections.Counter()
    for version, data, expected in MESSAGES[name]:
        flexible = flexible_from != -1 and version >= flexible_from
        compact = flexible and not header  # the one field of a header that could be compact is not
        source = io.BytesIO(data)
        decoded = struct.decode(source, version=version, compact=compact, tagged=flexible, data_class=made)
        assert source.read() == b"", f"v{version}: bytes left over"
        assert fields_of(struct, decoded, version) == expected, f"v{version}"
        assert bytes(struct.encode(decoded, version=version, compact=compact, tagged=flexible)).hex() == data.hex(), f"v{version}"
        checked[version] += 1
    assert set(checked) == set(range(first, last + 1)) and min(checked.values()) >= PER_VERSION - 1


def test_every_api_of_the_server_is_there():
    apis = {name.removesuffix("Request") for name in MESSAGES if name.endswith("Request")}
    assert len(apis) == 37
    assert {f"{api}Response" for api in apis} <= set(MESSAGES)
