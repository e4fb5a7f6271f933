#!/usr/bin/env python3
"""Generates the C++ codecs of the Kafka protocol from Kafka's own message schemas.

Usage: generate_kafka_codecs.py --schemas FOLDER [--schemas FOLDER...] --out FOLDER     (a schema is taken from the first folder that has it)
       generate_kafka_codecs.py --list                                                  (prints the names of the files it writes)

A schema is JSON with // comments; what its keys mean is written in the README of Kafka's clients/src/main/resources/common/message.
Written are <message>.h for each entry of BATCHES, one .cc for each batch, api_table.h, and for tests visit_fields.h and
message_list.h. A file whose content would not change is left alone, so that nothing is compiled again. src/log/wire/README.md says how a
message is added.
"""

import argparse
import json
import pathlib
import re
import sys

# Source file -> header -> messages. A header that lists none holds the request and the response of its API.
BATCHES = {
    "connection": {"message_header": ["RequestHeader", "ResponseHeader"], "ApiVersions": [], "SaslHandshake": [], "SaslAuthenticate": [],
                   "FindCoordinator": [], "DescribeCluster": [], "Metadata": []},
    "records": {"Produce": [], "Fetch": [], "ListOffsets": [], "OffsetForLeaderEpoch": [], "DeleteRecords": [], "DescribeProducers": []},
    "topics": {"CreateTopics": [], "DeleteTopics": [], "CreatePartitions": [], "DescribeConfigs": [], "AlterConfigs": [],
               "IncrementalAlterConfigs": []},
    "groups": {"JoinGroup": [], "SyncGroup": [], "Heartbeat": [], "LeaveGroup": [], "ListGroups": [], "DescribeGroups": [], "DeleteGroups": [],
               "ConsumerGroupHeartbeat": [], "ConsumerGroupDescribe": [],
               "consumer_protocol": ["ConsumerProtocolSubscription", "ConsumerProtocolAssignment"]},
    "offsets": {"OffsetCommit": [], "OffsetFetch": [], "OffsetDelete": [], "TxnOffsetCommit": []},
    "transactions": {"InitProducerId": [], "AddPartitionsToTxn": [], "AddOffsetsToTxn": [], "EndTxn": [], "DescribeTransactions": [],
                     "ListTransactions": []},
}
# The schema begins at 1; version 0 (no client id) is what the first requests of old clients may carry.
VERSIONS_INSTEAD = {"RequestHeader": "0-2"}

NEVER = 32767  # no version
# type -> C++ type, reader's and writer's function, bytes on the wire
NUMBERS = {"bool": ("bool", "Bool", 1), "int8": ("int8_t", "Int8", 1), "int16": ("int16_t", "Int16", 2), "int32": ("int32_t", "Int32", 4),
           "int64": ("int64_t", "Int64", 8), "uint16": ("uint16_t", "Uint16", 2), "uint32": ("uint32_t", "Uint32", 4),
           "float64": ("double", "Float64", 8), "uuid": ("std::array<uint8_t, 16>", "Uuid", 16)}
VIEWS = {"string": "String", "bytes": "Bytes", "records": "Records"}
KEYWORDS = set("alignas and asm auto bool break case catch char class const continue default delete do double else enum explicit export extern "
               "false float for friend goto if inline int long namespace new not operator or private protected public register requires return "
               "short signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void "
               "volatile while xor".split())


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def parse_versions(text, whole):
    """(first, last), cut to the range of the whole message; first > last when nothing is left."""
    if text is None or text == "none":
        return NEVER, -1
    first, dash, last = text.rstrip("+").partition("-")
    first = int(first)
    last = int(last) if dash else (NEVER if text.endswith("+") else first)
    return max(first, whole[0]), min(last, whole[1])


class Field:
    def __init__(self, message, schema):
        self.message = message
        self.name = schema["name"]
        self.member = snake(self.name)
        if self.member in KEYWORDS:
            self.member += "_value"
        self.about = " ".join(schema.get("about", "").split())
        self.is_array = schema["type"].startswith("[]")
        self.base = schema["type"][2:] if self.is_array else schema["type"]
        self.is_struct = self.base[0].isupper()
        self.versions = parse_versions(schema["versions"], message.versions)
        self.nullable = parse_versions(schema.get("nullableVersions"), self.versions)
        self.is_nullable = self.nullable[0] <= self.nullable[1]
        self.tag = schema.get("tag")
        self.ignorable = schema.get("ignorable", False)
        self.default = schema.get("default")
        self.never_flexible = schema.get("flexibleVersions") == "none"
        if not self.is_struct and self.base not in NUMBERS and self.base not in VIEWS:
            sys.exit(f"{message.name}.{self.name}: unknown type {self.base}")
        if self.tag is not None:
            if parse_versions(schema["taggedVersions"], message.versions) != self.versions or self.base == "records":
                sys.exit(f"{message.name}.{self.name}: a field that is tagged in some versions only, or records in a tag, is not supported")
        if self.is_nullable and self.base in NUMBERS and not self.is_array:
            sys.exit(f"{message.name}.{self.name}: a number can't be null")

    def in_version(self, version):
        return self.versions[0] <= version <= self.versions[1]

    def element_type(self):
        if self.is_struct:
            return f"{snake(self.message.name)}::{self.base}"
        return NUMBERS[self.base][0] if self.base in NUMBERS else "std::string_view"

    def plain_type(self):
        return f"std::vector<{self.element_type()}>" if self.is_array else self.element_type()

    def cpp_type(self):
        return f"std::optional<{self.plain_type()}>" if self.is_nullable else self.plain_type()

    def literal(self):
        """The default of a number or text as C++; None for the type's own empty value."""
        if self.is_array or self.is_struct or self.default in (None, "", "null"):
            return None
        if self.base == "string":
            return json.dumps(self.default)
        if self.base == "bool":
            return "true" if str(self.default).lower() == "true" else None
        if self.base not in NUMBERS or self.base == "uuid":
            sys.exit(f"{self.message.name}.{self.name}: default {self.default} is not supported")
        if self.base == "float64":
            return repr(float(self.default))
        value = int(str(self.default), 0)
        return None if value == 0 else "INT64_MIN" if value == -2**63 else "INT32_MIN" if value == -2**31 else str(value)

    def initializer(self):
        if self.is_nullable:
            return "" if self.default == "null" else f" = {self.plain_type()}({self.literal() or ''})"
        if self.is_array or self.is_struct or self.base in VIEWS:
            return f" = {self.literal()}" if self.literal() else ""
        return f" = {self.literal()}" if self.literal() else "{}" if self.base == "uuid" else " = false" if self.base == "bool" else " = 0"

    def differs(self):
        """The C++ condition that the value is not the default."""
        if self.is_nullable and self.default == "null":
            return f"{self.member}.has_value()"
        if self.is_nullable:
            return f"{self.member} != {self.plain_type()}({self.literal() or ''})"
        if self.is_array or self.base in VIEWS and not self.literal():
            return f"!{self.member}.empty()"
        if self.base == "bool":
            return ("!" if self.literal() else "") + self.member
        if self.is_struct or self.base == "uuid":
            return f"{self.member} != {self.element_type()}{{}}"
        return f"{self.member} != {self.literal() or 0}"

    def bytes_min(self, version):
        """The least number of bytes that the field takes in a version, outside of tagged fields."""
        flexible = self.message.is_flexible(version) and not self.never_flexible
        if self.is_array:
            return 1 if flexible else 4
        return 1 if self.is_struct and self.is_nullable else self.element_bytes_min(version)

    def element_bytes_min(self, version):
        flexible = self.message.is_flexible(version) and not self.never_flexible
        if self.is_struct:
            return self.message.structs[self.base].bytes_min(version)
        if self.base in NUMBERS:
            return NUMBERS[self.base][2]
        return 1 if flexible else 2 if self.base == "string" else 4


class Struct:
    def __init__(self, message, name, fields):
        self.message, self.name = message, name
        self.fields = [f for f in (Field(message, schema) for schema in fields) if f.versions[0] <= f.versions[1]]
        self.tagged = sorted((f for f in self.fields if f.tag is not None), key=lambda f: f.tag)
        self.untagged = [f for f in self.fields if f.tag is None]

    def bytes_min(self, version):
        tags = 1 if self.message.is_flexible(version) else 0
        return tags + sum(f.bytes_min(version) for f in self.untagged if f.in_version(version))


class Message:
    def __init__(self, schema):
        self.name = schema["name"]
        self.api_key = schema.get("apiKey")
        self.is_request = schema["type"] == "request"
        self.versions = parse_versions(VERSIONS_INSTEAD.get(self.name, schema["validVersions"]), (0, NEVER))
        flexible = parse_versions(schema["flexibleVersions"], self.versions)
        self.first_flexible = flexible[0] if flexible[0] <= flexible[1] else NEVER
        self.structs = {}  # those that are used come first
        self.shared = {s["name"]: s["fields"] for s in schema.get("commonStructs", [])}
        self.add_structs(schema["fields"])
        self.top = Struct(self, self.name, schema["fields"])

    def add_structs(self, fields):
        for field in fields:
            name = field["type"].removeprefix("[]")
            if not name[0].isupper() or parse_versions(field["versions"], self.versions)[0] > self.versions[1]:
                continue
            if name in self.structs and "fields" in field:
                sys.exit(f"{self.name}: two structs named {name}")
            if name not in self.structs:
                inner = field.get("fields") or self.shared[name]
                self.add_structs(inner)
                self.structs[name] = Struct(self, name, inner)

    def is_flexible(self, version):
        return version >= self.first_flexible

    def condition(self, versions, whole=None):
        """C++ for `version is in versions`, known to be in `whole`; "" when always."""
        whole = whole or self.versions
        parts = [f"version >= {versions[0]}"] if versions[0] > whole[0] else []
        parts += [f"version <= {versions[1]}"] if versions[1] < whole[1] else []
        return " && ".join(parts)

    def by_version(self, versions, value):
        """C++ for value(version), which changes at a few versions."""
        text, last = None, None
        for version in range(versions[0], versions[1] + 1):
            now = value(version)
            if text is None:
                text = str(now)
            elif now != last:
                text = f"version >= {version} ? {now} : {text}" if " ? " not in text else f"version >= {version} ? {now} : ({text})"
            last = now
        return text


def read_value(field, indent):
    """Lines that read a field which is there."""
    flexible = "false" if field.never_flexible else "flexible"
    message, member, name = field.message, field.member, f'"{field.member}"'
    null_if = message.condition(field.nullable, field.versions) if field.is_nullable else None

    def maybe_null(call, plain_type):
        if not field.is_nullable:
            return f"reader.{call}"
        nullable = f"reader.Nullable{call}"
        return nullable if not null_if else f"{null_if} ? {nullable} : std::optional<{plain_type}>(reader.{call})"

    if field.is_array:
        least = message.by_version(field.versions, lambda version: max(1, field.element_bytes_min(version)))
        count = maybe_null(f"ArrayCount({flexible}, {least}, {name})", "size_t")
        into = f"*{member}" if field.is_nullable else member
        if field.is_struct:
            element = "element.Read(reader, version);"
        elif field.base in NUMBERS:
            element = f"element = reader.{NUMBERS[field.base][1]}({name});"
        else:
            element = f"element = reader.{VIEWS[field.base]}({flexible}, {name});"
        loop = [f"for (auto& element : {into}) {{", "  if (!reader.ok()) return;", f"  {element}", "}"]
        if field.base in NUMBERS:
            loop = [f"for (auto&& element : {into}) {element}"]
        if field.is_nullable:
            lines = [f"if (const std::optional<size_t> count = {count}) {{", f"  {member}.emplace(*count);", *("  " + line for line in loop),
                     "} else {", f"  {member}.reset();", "}"]
        else:
            lines = [f"{member}.resize({count});", *loop]
    elif field.is_struct and field.is_nullable:
        present = f"reader.StructPresent({name})"
        present = f"!({null_if}) || {present}" if null_if else present
        lines = [f"if ({present}) {{", f"  {member}.emplace().Read(reader, version);", "} else {", f"  {member}.reset();", "}"]
    elif field.is_struct:
        lines = [f"{member}.Read(reader, version);"]
    elif field.base in NUMBERS:
        lines = [f"{member} = reader.{NUMBERS[field.base][1]}({name});"]
    else:
        call = f"{'String' if field.base == 'string' else 'Bytes'}({flexible}, {name})"
        lines = [f"{member} = {maybe_null(call, 'std::string_view')};"]
    return [indent + line for line in lines]


def write_value(field, indent):
    flexible = "false" if field.never_flexible else "flexible"
    message, member, name = field.message, field.member, f'"{field.member}"'
    value = f"*{member}" if field.is_nullable else member
    if field.is_array:
        arrow = "->" if field.is_nullable else "."
        lines = [f"writer.ArrayCount({flexible}, {member}{arrow}size(), {name});"]
        if field.is_struct:
            element = "element.Write(writer, version)"
        elif field.base in NUMBERS:
            element = f"writer.{NUMBERS[field.base][1]}(element)"
        else:
            element = f"writer.{VIEWS[field.base]}({flexible}, element, {name})"
        lines.append(f"for (const auto& element : {value}) {element};")
    elif field.is_struct:
        lines = [f"{member}->Write(writer, version);" if field.is_nullable else f"{member}.Write(writer, version);"]
    elif field.base in NUMBERS:
        lines = [f"writer.{NUMBERS[field.base][1]}({member});"]
    else:
        lines = [f"writer.{VIEWS[field.base]}({flexible}, {value}, {name});"]
    if field.is_nullable:
        null_if = message.condition(field.nullable, field.versions)
        is_nullable_struct = field.is_struct and not field.is_array
        if is_nullable_struct:
            lines.insert(0, f"if ({null_if}) writer.StructPresent(true);" if null_if else "writer.StructPresent(true);")
        null = "writer.StructPresent(false);" if is_nullable_struct else f"writer.Null({flexible}, {'false' if field.base == 'string' and not field.is_array else 'true'});"
        refuse = [f'  if (!({null_if})) writer.Refuse("null in a version without it", {name});'] if null_if else []
        lines = [f"if ({member}.has_value()) {{", *("  " + line for line in lines), "} else {", *refuse, f"  {null}", "}"]
    return [indent + line for line in lines]


def guarded(condition, lines, otherwise=None):
    """`lines` are indented for the inside of an if."""
    if not condition:
        return [line.removeprefix("  ") for line in lines]
    tail = ["  } else {", *otherwise, "  }"] if otherwise else ["  }"]
    return [f"  if ({condition}) {{", *lines, *tail]


def read_function(struct, scope):
    message, out = struct.message, []
    for field in struct.untagged:
        out += guarded(message.condition(field.versions), read_value(field, "    "))
    if message.first_flexible <= message.versions[1]:
        out.append("  if (flexible) {")
        if not struct.tagged:
            out.append("    reader.SkipTags();")
        else:
            out += ["    for (uint32_t left = reader.TagCount(); left > 0 && reader.ok(); --left) {",
                    "      const WireReader::Tag tag = reader.OpenTag();"]
            word = "if"
            for field in struct.tagged:
                also = message.condition(field.versions, (message.first_flexible, message.versions[1]))
                out += [f"      {word} (tag.number == {field.tag}{' && ' + also if also else ''}) {{", *read_value(field, "        ")]
                word = "} else if"
            out += ["      } else {", "        reader.SkipTag();", "      }", "      reader.CloseTag(tag);", "    }"]
        out.append("  }")
    return [f"void {scope}::Read([[maybe_unused]] WireReader& reader, [[maybe_unused]] int16_t version) {{", flexible_line(message), *out, "}", ""]


def write_function(struct, scope):
    message, out = struct.message, []
    for field in struct.fields:
        condition = message.condition(field.versions)
        refuse = f'if ({field.differs()}) writer.Refuse("has no place in this version", "{field.member}");'
        if field.tag is None:
            otherwise = None if field.ignorable else ["    " + refuse]
            out += guarded(condition, write_value(field, "    "), otherwise)
        elif condition and not field.ignorable:
            out += guarded(f"!({condition})", ["    " + refuse])
    if message.first_flexible <= message.versions[1]:
        out.append("  if (flexible) {")
        conditions = []
        for field in struct.tagged:
            also = message.condition(field.versions, (message.first_flexible, message.versions[1]))
            conditions.append(f"({also}) && ({field.differs()})" if also else field.differs())
        if not struct.tagged:
            out.append("    writer.UnsignedVarint(0);")
        else:
            flags = [f"has_{field.member}" for field in struct.tagged]
            out += [f"    const bool {flag} = {condition};" for flag, condition in zip(flags, conditions)]
            out.append(f"    writer.UnsignedVarint({' + '.join(f'({flag} ? 1u : 0u)' for flag in flags)});")
            for field, flag in zip(struct.tagged, flags):
                out += [f"    if ({flag}) {{", f"      const size_t start = writer.OpenTag({field.tag});", *write_value(field, "      "),
                        "      writer.CloseTag(start);", "    }"]
        out.append("  }")
    return [f"void {scope}::Write([[maybe_unused]] WireWriter& writer, [[maybe_unused]] int16_t version) const {{", flexible_line(message), *out, "}", ""]


def flexible_line(message):
    if message.first_flexible > message.versions[1]:
        return "  [[maybe_unused]] constexpr bool flexible = false;"
    if message.first_flexible <= message.versions[0]:
        return "  [[maybe_unused]] constexpr bool flexible = true;"
    return f"  [[maybe_unused]] const bool flexible = version >= {message.first_flexible};"


def declare_fields(struct):
    out = []
    for field in struct.fields:
        notes = [] if not struct.message.condition(field.versions) else [f"versions {field.versions[0]} to {field.versions[1]}"]
        notes += [f"tag {field.tag}"] if field.tag is not None else []
        about = field.about + (f" ({', '.join(notes)})" if notes else "")
        out += [f"  // {about.strip()}"] if about.strip() else []
        out.append(f"  {field.cpp_type()} {field.member}{field.initializer()};")
    return out


def header_text(messages):
    out = ["// Generated by scripts/generate_kafka_codecs.py.", "#pragma once", "", "#include <array>", "#include <cstdint>",
           "#include <optional>", "#include <string_view>", "#include <vector>", "", '#include "base/status.h"', "", "namespace tidemill {",
           "class WireReader;", "class WireWriter;", "}  // namespace tidemill", "", "namespace tidemill::wire {", ""]
    common = ["  void Read(WireReader& reader, int16_t version);", "  void Write(WireWriter& writer, int16_t version) const;"]
    for message in messages:
        if message.structs:
            out += [f"namespace {snake(message.name)} {{", ""]
        for struct in message.structs.values():
            out += [f"struct {struct.name} {{", *declare_fields(struct), "", f"  bool operator==(const {struct.name}&) const = default;", *common,
                    "};", ""]
        if message.structs:
            out += [f"}}  // namespace {snake(message.name)}", ""]
        out.append(f"struct {message.name} {{")
        if message.api_key is not None:
            out.append(f"  static constexpr int16_t kApiKey = {message.api_key};")
        out += [f"  static constexpr int16_t kMinVersion = {message.versions[0]};", f"  static constexpr int16_t kMaxVersion = {message.versions[1]};",
                f"  static constexpr int16_t kFirstFlexibleVersion = {message.first_flexible};",
                *(f"  using {name} = {snake(message.name)}::{name};" for name in message.structs), "",
                *declare_fields(message.top), "",
                "  // Views of the result point into the reader's buffer.",
                f"  static Result<{message.name}> Decode(WireReader& reader, int16_t version);",
                "  // Errors are the writer's status().",
                "  void Encode(WireWriter& writer, int16_t version) const;",
                f"  bool operator==(const {message.name}&) const = default;",
                "  // For Decode and Encode: no check of the version; Read needs a fresh object and leaves a part of it on failure.",
                *common, "};", ""]
    return "\n".join(out + ["}  // namespace tidemill::wire", ""])


def source_text(headers):
    out = ["// Generated by scripts/generate_kafka_codecs.py.", "#include <utility>", "",
           *(f'#include "log/wire/messages/{header}.h"' for header in headers),
           '#include "log/wire/api.h"', '#include "log/wire/wire_reader.h"', '#include "log/wire/wire_writer.h"', "", "namespace tidemill::wire {", ""]
    for messages in headers.values():
        for message in messages:
            for struct in message.structs.values():
                scope = f"{snake(message.name)}::{struct.name}"
                out += read_function(struct, scope) + write_function(struct, scope)
            name = message.name
            out += read_function(message.top, name) + write_function(message.top, name)
            out += [f"Result<{name}> {name}::Decode(WireReader& reader, int16_t version) {{",
                    f'  TM_RETURN_IF_ERROR(CheckMessageVersion("{name}", version, kMinVersion, kMaxVersion));',
                    f"  {name} message;", "  message.Read(reader, version);",
                    f'  if (!reader.ok()) return reader.status().WithContext("{name}");', "  return message;", "}", "",
                    f"void {name}::Encode(WireWriter& writer, int16_t version) const {{",
                    f'  if (version < kMinVersion || version > kMaxVersion) return writer.Refuse("no such version", "{name}");',
                    "  Write(writer, version);", "}", ""]
    return "\n".join(out + ["}  // namespace tidemill::wire", ""])


def table_text(messages):
    rows = [f'    {{{m.api_key}, {m.versions[0]}, {m.versions[1]}, {m.first_flexible}, "{m.name.removesuffix("Request")}"}},'
            for m in sorted((m for m in messages if m.is_request), key=lambda m: m.api_key)]
    return "\n".join(["// Generated by scripts/generate_kafka_codecs.py.", "#pragma once", "", '#include "log/wire/api.h"', "",
                      "namespace tidemill::wire {", "", "// Ordered by key.", "inline constexpr ApiInfo kApis[] = {", *rows, "};", "",
                      "}  // namespace tidemill::wire", ""])


def visitor_text(messages, headers):
    out = ["// Generated by scripts/generate_kafka_codecs.py, for tests.", "#pragma once", "",
           *(f'#include "log/wire/messages/{header}.h"' for header in headers), "", "namespace tidemill::wire {", "",
           "// A field as its schema has it: Kafka's name, the versions that have it and those in which it may be null, its tag or -1.",
           "struct FieldInfo {", "  const char* name;", "  int16_t first, last, first_nullable, last_nullable;", "  int tag;", "};", ""]
    for message in messages:
        for struct in [*message.structs.values(), message.top]:
            scope = message.name if struct is message.top else f"{snake(message.name)}::{struct.name}"
            out += ["template <typename Visitor>", f"void VisitFields([[maybe_unused]] {scope}& value, [[maybe_unused]] Visitor& visitor) {{"]
            for field in struct.fields:
                tag = -1 if field.tag is None else field.tag
                out.append(f'  visitor.Field(FieldInfo{{"{field.name}", {field.versions[0]}, {field.versions[1]}, {field.nullable[0]}, '
                           f"{field.nullable[1]}, {tag}}}, value.{field.member});")
            out += ["}", ""]
    return "\n".join(out + ["}  // namespace tidemill::wire", ""])


def list_text(messages, headers):
    def macro(name, chosen):
        return [f"#define {name}(X) \\", *(f"  X({m.name}) \\" for m in chosen[:-1]), f"  X({chosen[-1].name})", ""]
    return "\n".join(["// Generated by scripts/generate_kafka_codecs.py, for tests.", "#pragma once", "",
                      *(f'#include "log/wire/messages/{header}.h"' for header in headers), "",
                      *macro("TIDEMILL_WIRE_MESSAGES", messages), *macro("TIDEMILL_WIRE_REQUESTS", [m for m in messages if m.is_request])])


def load(name, folders):
    for folder in folders:
        path = folder / f"{name}.json"
        if path.is_file():
            return Message(json.loads(re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)))
    sys.exit(f"generate_kafka_codecs: no {name}.json in {', '.join(map(str, folders))}")


def generate(folders):
    """File name -> text."""
    files, every, all_headers = {}, [], []
    for batch, entries in BATCHES.items():
        headers = {snake(entry): [load(name, folders) for name in names or (f"{entry}Request", f"{entry}Response")]
                   for entry, names in entries.items()}
        for header, messages in headers.items():
            files[f"{header}.h"] = header_text(messages)
            every += messages
        all_headers += headers
        files[f"{batch}_codecs.cc"] = source_text(headers)
    files["api_table.h"] = table_text(every)
    files["visit_fields.h"] = visitor_text(every, all_headers)
    files["message_list.h"] = list_text(every, all_headers)
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemas", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        names = [f"{snake(entry)}.h" for entries in BATCHES.values() for entry in entries] + [f"{batch}_codecs.cc" for batch in BATCHES]
        print(";".join(names + ["api_table.h", "visit_fields.h", "message_list.h"]))
        return
    if not arguments.out or not arguments.schemas:
        parser.error("--schemas and --out are needed")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, text in generate(arguments.schemas).items():
        path = arguments.out / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
