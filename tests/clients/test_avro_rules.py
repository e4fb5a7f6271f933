"""Which Avro schema reads what which wrote: the registry's verdicts, and Apache Avro's own of the same pairs."""
import collections
import copy
import http.client
import json
import os
import random
import re
import subprocess

import pytest
import servers
from conftest import COMMANDS

SEED = int(os.environ.get("TIDEMILL_TEST_SEED", "20260101"))
PAIRS = int(os.environ.get("TIDEMILL_AVRO_PAIRS", "3000"))
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
DEFAULTS = {"null": None, "boolean": True, "int": 1, "long": 2, "float": 0.5, "double": 1.5, "bytes": "b", "string": "s"}


class Schemas:
    """Random schemas that are valid, and changes to them that may not be compatible."""

    def __init__(self, chance):
        self.chance, self.names = chance, 0

    def type(self, depth, in_union=False):
        kinds = ["primitive"] * 4 + (["record", "enum", "fixed", "array", "map"] if depth else []) + (["union"] if depth and not in_union else [])
        return getattr(self, self.chance.choice(kinds))(depth - 1)

    def name(self):
        self.names += 1
        return f"N{self.names}"

    def primitive(self, _):
        return self.chance.choice(PRIMITIVES)

    def record(self, depth):
        made = {"type": "record", "name": self.name(), "fields": [self.field(f"f{i}", depth) for i in range(self.chance.randrange(4))]}
        if self.chance.random() < 0.2:
            made["namespace"] = self.chance.choice(["a", "a.b"])
        return made

    def field(self, name, depth):
        made = {"name": name, "type": self.type(depth)}
        if self.chance.random() < 0.4 and (default := self.default(made["type"])) is not ...:
            made["default"] = default
        return made

    def default(self, of):
        if isinstance(of, list):
            return self.default(of[0]) if of else ...
        if isinstance(of, str):
            return DEFAULTS.get(of, ...)
        return {"array": [], "map": {}, "enum": of.get("symbols", [None])[0]}.get(of["type"], ...)

    def enum(self, _):
        made = {"type": "enum", "name": self.name(), "symbols": self.chance.sample("ABCDE", self.chance.randrange(1, 5))}
        if self.chance.random() < 0.3:
            made["default"] = made["symbols"][0]
        return made

    def fixed(self, _):
        return {"type": "fixed", "name": self.name(), "size": self.chance.choice([4, 8])}

    def array(self, depth):
        return {"type": "array", "items": self.type(depth)}

    def map(self, depth):
        return {"type": "map", "values": self.type(depth)}

    def union(self, depth):
        branches, seen = [], set()
        for _ in range(self.chance.randrange(1, 4)):
            branch = self.type(depth, in_union=True)
            kind = branch if isinstance(branch, str) else branch.get("name", branch["type"])
            if kind not in seen:
                seen.add(kind)
                branches.append(branch)
        return branches

    def places(self, of, found=None):
        """Every dict and list in it, as (holder, key) of what can be replaced."""
        found = [] if found is None else found
        if isinstance(of, list):
            for i, branch in enumerate(of):
                found.append((of, i))
                self.places(branch, found)
        elif isinstance(of, dict):
            for key in ("items", "values"):
                if key in of:
                    found.append((of, key))
                    self.places(of[key], found)
            for field in of.get("fields", []):
                found.append((field, "type"))
                self.places(field["type"], found)
        return found

    def changed(self, schema):
        schema = copy.deepcopy({"type": schema})
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            places = [(schema, "type"), *self.places(schema["type"])]
            holder, key = self.chance.choice(places)
            self.change(holder, key)
        for field, _ in self.places(schema["type"]):
            # Avro takes any text as the default of a fixed or an enum, the registry only one of its size or symbols.
            if isinstance(field, dict) and "default" in field and any(self.doubtful(of, field["default"]) for of in self.branches(field["type"])):
                del field["default"]
        return schema["type"]

    @staticmethod
    def branches(of):
        return of if isinstance(of, list) else [of]

    @staticmethod
    def doubtful(of, default):
        return isinstance(of, dict) and (of["type"] == "fixed" or default not in of.get("symbols", [default]))

    def change(self, holder, key):
        of, chance = holder[key], self.chance
        kind = of["type"] if isinstance(of, dict) else None
        ways = [lambda: holder.__setitem__(key, self.type(1, in_union=isinstance(holder, list)))]
        if isinstance(of, str) and of in PRIMITIVES:
            ways.append(lambda: holder.__setitem__(key, chance.choice(PRIMITIVES)))
        if not isinstance(of, list) and not isinstance(holder, list):
            ways.append(lambda: holder.__setitem__(key, ["null", of] if of != "null" else [of]))
        if isinstance(of, list):
            ways += [lambda: chance.shuffle(of), lambda: of.append(self.enum(0)), lambda: len(of) > 1 and of.pop()]
        if kind == "record":
            ways += [lambda: of["fields"].append(self.field(f"g{chance.randrange(1000)}", 1)), lambda: of["fields"] and of["fields"].pop(),
                     lambda: of["fields"] and of["fields"][0].update(name="renamed", aliases=[of["fields"][0]["name"]]),
                     lambda: of["fields"] and of["fields"][-1].pop("default", None), lambda: of["fields"].reverse()]
        if kind == "enum":
            ways += [lambda: of.update(symbols=sorted(set(of["symbols"]) | {"Z"})), lambda: of.update(symbols=of["symbols"][:1], **({"default": of["symbols"][0]} if chance.random() < 0.5 else {})),
                     lambda: of.pop("default", None)]
        if kind == "fixed":
            ways.append(lambda: of.update(size=12 - of["size"]))
        if kind in ("record", "enum", "fixed"):
            ways += [lambda: of.update(name="Renamed" + of["name"]), lambda: of.update(aliases=[of["name"]], name="Renamed" + of["name"]),
                     lambda: of.update(namespace="other")]
        chance.choice(ways)()


def judged_by_avro(pairs):
    """{(kind, place)} of each pair; None where Avro takes one of the two for no schema."""
    command = [*COMMANDS["java"][:-1], "AvroRules"]
    done = subprocess.run(list(map(str, command)), input="".join(f"{reader}\t{writer}\n" for reader, writer in pairs), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(pairs)
    return [None if line.startswith("invalid ") else set() if line == "ok" else {tuple(conflict.split(" ")) for conflict in line.split("\t")} for line in lines]


def corrected(conflicts, reader):
    """A field that the writer lacks, without a default but of an enum with one: Avro compares the enum with the writer's record; what it lacks is the default."""
    def of(place):
        node = {"type": json.loads(reader)}
        for step in ["type", *place.strip("/").split("/")][:-1]:
            while isinstance(node, dict) and step not in node and isinstance(node.get("type"), (dict, list)):
                node = node["type"]
            node = node[int(step)] if isinstance(node, list) else node[step] if step in node else node
        return node

    found = set()
    for kind, place in conflicts or ():
        field = of(place) if kind == "TYPE_MISMATCH" and re.search(r"fields/\d+/type$", place) else None
        lacks = isinstance(field, dict) and "default" not in field and isinstance(field.get("type"), dict) and "default" in field["type"]
        found.add(("READER_FIELD_MISSING_DEFAULT_VALUE", place[:-len("/type")]) if lacks else (kind, place))
    return found


class Registry:
    def __init__(self, server):
        port = int((server.folder / "data" / "schema-registry.port").read_text())
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def judge(self, subject, reader, writer):
        status, answer = self.post(f"/subjects/{subject}/versions", {"schema": writer})
        if status != 200:
            assert status == 422, answer
            return None
        status, answer = self.post(f"/compatibility/subjects/{subject}/versions/1?verbose=true", {"schema": reader})
        if status != 200:
            assert status == 422, answer
            return None
        found = set()
        for message in answer.get("messages", []):
            if kind := re.search(r"errorType:'(\w+)'", message):
                found.add((kind[1], re.search(r"path:'([^']*)'", message)[1] or "/"))
        assert answer["is_compatible"] == (not found), answer
        return found


@pytest.fixture
def registry(tmp_path):
    server = servers.Tidemill(tmp_path)
    server.start()
    yield Registry(server)
    server.stop()


def test_verdicts_are_those_of_apache_avro(registry):
    chance = random.Random(SEED)
    pairs = []
    while len(pairs) < PAIRS:
        schemas = Schemas(chance)
        writer = schemas.record(3) if chance.random() < 0.8 else schemas.type(3)
        pairs.append((json.dumps(schemas.changed(writer)), json.dumps(writer)))
    theirs = judged_by_avro(pairs)
    seen = collections.Counter()
    wrong = []
    for i, ((reader, writer), due) in enumerate(zip(pairs, theirs)):
        ours = registry.judge(f"s{i}", reader, writer)
        seen.update(["invalid"] if due is None else [kind for kind, _ in due] or ["ok"])
        if ours != due and ours != corrected(due, reader):
            wrong.append(f"reader {reader}\nwriter {writer}\nAvro {due}\nours {ours}")
    assert not wrong, f"{len(wrong)} of {len(pairs)}\n" + "\n\n".join(wrong[:5])
    for kind in ("ok", "NAME_MISMATCH", "FIXED_SIZE_MISMATCH", "MISSING_ENUM_SYMBOLS", "READER_FIELD_MISSING_DEFAULT_VALUE", "TYPE_MISMATCH", "MISSING_UNION_BRANCH"):
        assert seen[kind] >= PAIRS // 600, seen
