"""PostgreSQL -> Debezium in Kafka Connect -> a Tidemill as the broker -> SQL over 'debezium-json': after every phase the answer is PostgreSQL's own."""
import csv
import io
import json
import re
import subprocess
import time

import confluent_kafka as ck
import pytest
import servers
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_connect import Connect
from postgres import Postgres

DEADLINE_S = 240

TABLES = """
CREATE TABLE customers (id INT PRIMARY KEY, name TEXT NOT NULL, city TEXT);
CREATE TABLE orders (
  id BIGINT PRIMARY KEY, customer_id INT NOT NULL, amount NUMERIC(10, 2), qty SMALLINT, weight DOUBLE PRECISION, placed TIMESTAMP, paid TIMESTAMPTZ,
  due DATE, at TIME, open BOOLEAN, tags TEXT[], payload BYTEA);
ALTER TABLE customers REPLICA IDENTITY FULL;
ALTER TABLE orders REPLICA IDENTITY FULL;
INSERT INTO customers SELECT i, 'customer ' || i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'city ' || i % 4 END FROM generate_series(1, 12) AS i;
"""


def orders(first: int, last: int) -> str:
    return f"""INSERT INTO orders SELECT i, i % 7, (i * 37 % 1000) / 8.0 - 20, i % 5, i / 3.0, '2026-01-01'::timestamp + i * interval '61.000123 s',
      '2026-01-01 00:00:00+02'::timestamptz + i * interval '3.5 s', '2026-01-01'::date + i % 40, '08:00:00'::time + i * interval '1.25 s', i % 2 = 0,
      ARRAY['a' || i % 3, NULL], decode(lpad(to_hex(i), 8, '0'), 'hex') FROM generate_series({first}, {last}) AS i;\n"""


CHANGES = [
    ("inserts, updates and deletes", orders(201, 400) + """
      UPDATE orders SET amount = amount + 1.25, customer_id = customer_id + 1 WHERE id % 4 = 0;
      UPDATE orders SET amount = NULL, placed = NULL, due = NULL WHERE id % 17 = 0;
      DELETE FROM orders WHERE id % 5 = 0;
      UPDATE customers SET city = 'city x' WHERE id IN (3, 4);"""),
    ("a transaction over several tables, a key that changes, and what is rolled back", """
      BEGIN; DELETE FROM orders WHERE customer_id = 2; UPDATE customers SET city = NULL WHERE id = 2; INSERT INTO customers VALUES (13, 'thirteen', 'city 1');
      UPDATE orders SET id = id + 100000 WHERE id % 6 = 1; COMMIT;
      BEGIN; DELETE FROM orders; UPDATE customers SET city = 'nowhere'; ROLLBACK;"""),
    ("a column more", """
      ALTER TABLE customers ADD COLUMN tier INT;
      UPDATE customers SET tier = id % 3 WHERE id < 9; INSERT INTO customers VALUES (14, 'fourteen', 'city 1', 2);
      UPDATE orders SET qty = qty + 1 WHERE id % 3 = 0;"""),
]

# The same questions, as each of the two is asked.
QUESTIONS = {
    "orders": ("SELECT customer_id, count(*), sum(amount), min(amount), max(amount), sum(qty), max(placed), min(placed), max(paid), min(due), max(at), "
               "count(tags[1]), count(payload) FROM orders GROUP BY customer_id",
               "SELECT customer_id, COUNT(*) AS n, SUM(amount) AS s, MIN(amount) AS lo, MAX(amount) AS hi, SUM(qty) AS q, MAX(placed) AS p1, MIN(placed) AS p0, "
               "MAX(paid) AS paid, MIN(due) AS due, MAX(`at`) AS a, COUNT(tags[1]) AS t, COUNT(payload) AS b FROM orders GROUP BY customer_id"),
    "open": ("SELECT open, count(*), sum(weight) FROM orders WHERE qty > 1 GROUP BY open",
             "SELECT `open`, COUNT(*) AS n, SUM(weight) AS w FROM orders WHERE qty > 1 GROUP BY `open`"),
    "all": ("SELECT count(*), count(city), count(DISTINCT city) FROM customers", "SELECT COUNT(*) AS n, COUNT(city) AS c, COUNT(DISTINCT city) AS d FROM customers"),
}
TIERS = ("SELECT tier, count(*), max(name) FROM customers GROUP BY tier", "SELECT tier, COUNT(*) AS n, MAX(name) AS m FROM customers GROUP BY tier")


def plain(value) -> str | float:
    """Numbers as numbers, times without what differs between two spellings of them."""
    text = "" if value is None else str(value)
    if text in ("t", "f"):
        return {"t": "True", "f": "False"}[text]
    text = re.sub(r"(?<=\d)T(?=\d)", " ", text).removesuffix("Z").removesuffix("+00")
    try:
        return round(float(text), 6)
    except ValueError:
        head, point, fraction = text.partition(".")
        return head + (point + fraction).rstrip("0").rstrip(".") if ":" in head else text


class Shop:
    """The database, the worker and the broker, and how SQL sees its topics."""

    def __init__(self, postgres, connect, broker, folder, formats: dict):
        self.postgres, self.connect, self.broker, self.folder, self.formats = postgres, connect, broker, folder, formats
        self.live = None

    def table(self, name: str, columns: str, bounded: bool) -> str:
        options = {"connector": "kafka", "topic": f"shop.public.{name}", "properties.bootstrap.servers": self.broker.address, "format": "debezium-json",
                   "scan.startup.mode": "earliest-offset", "properties.isolation.level": "read_committed",
                   **{f"debezium-json.{key}": value for key, value in self.formats.items()}}
        if bounded:
            options["scan.bounded.mode"] = "latest-offset"
        return f"CREATE TABLE {name} ({columns}) WITH ({', '.join(f'{chr(39)}{k}{chr(39)} = {chr(39)}{v}{chr(39)}' for k, v in options.items())});\n"

    def tables(self, bounded: bool = True, tier: bool = False) -> str:
        return self.table("customers", "id INT NOT NULL, name STRING NOT NULL, city STRING" + (", tier INT" if tier else ""), bounded) + self.table(
            "orders", "id BIGINT NOT NULL, customer_id INT NOT NULL, amount DECIMAL(10, 2), qty SMALLINT, weight DOUBLE, placed TIMESTAMP(6), paid TIMESTAMP_LTZ(6), "
            "due DATE, `at` TIME, `open` BOOLEAN, tags ARRAY<STRING>, payload BYTES", bounded)

    def ask(self, sql: str, tier: bool) -> list[list]:
        command = [servers.BINARY, "--data-dir", self.folder / "ask", "sql", "--output", "json", "-c", self.tables(tier=tier) + sql]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=DEADLINE_S)
        assert done.returncode == 0, done.stderr
        return sorted(([plain(value) for value in json.loads(line).values()] for line in done.stdout.splitlines()), key=str)

    def agree(self, tier: bool = False):
        """Waits until what there is now has come through."""
        for name, (theirs, ours) in (QUESTIONS | ({"tiers": TIERS} if tier else {})).items():
            expected = sorted(([plain(value) for value in row] for row in csv.reader(io.StringIO(self.postgres.run(theirs + ";", "shop")))), key=str)
            end = time.monotonic() + DEADLINE_S
            while (found := self.ask(ours, tier)) != expected:
                assert time.monotonic() < end, f"{name}: PostgreSQL says\n{expected}\nTidemill\n{found}\n{self.connect.errors.read_text()[-5000:]}"
                time.sleep(0.5)

    def start_live(self):
        """A job that goes on through all phases; what it holds is the last record of each key."""
        admin = AdminClient({"bootstrap.servers": self.broker.address})
        admin.create_topics([NewTopic("totals", 3, 1, config={"cleanup.policy": "compact"})])["totals"].result(60)
        script = self.tables(bounded=False) + f"""
          CREATE TABLE totals (customer_id INT, n BIGINT, s DECIMAL(38, 2), PRIMARY KEY (customer_id) NOT ENFORCED) WITH ('connector' = 'upsert-kafka',
            'topic' = 'totals', 'properties.bootstrap.servers' = '{self.broker.address}', 'key.format' = 'json', 'value.format' = 'json');
          INSERT INTO totals SELECT customer_id, COUNT(*), SUM(amount) FROM orders WHERE qty < 4 GROUP BY customer_id;"""
        (self.folder / "live.sql").write_text(script)
        self.live_errors = (self.folder / "live.txt").open("w+")
        self.live = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", servers.BINARY, "--data-dir", str(self.folder / "live"), "run", str(self.folder / "live.sql")],
                                     stdin=subprocess.DEVNULL, stdout=self.live_errors, stderr=self.live_errors)

    def live_agrees(self):
        rows = csv.reader(io.StringIO(self.postgres.run("SELECT customer_id, count(*), sum(amount) FROM orders WHERE qty < 4 GROUP BY customer_id;", "shop")))
        expected = {plain(row[0]): (plain(row[1]), plain(row[2])) for row in rows}
        found: dict = {}
        reader = ck.Consumer({"bootstrap.servers": self.broker.address, "group.id": "totals", "enable.auto.commit": False})
        reader.assign([ck.TopicPartition("totals", i, 0) for i in range(3)])
        end = time.monotonic() + DEADLINE_S
        while found != expected:
            assert self.live.poll() is None and time.monotonic() < end, f"{expected}\n{found}\n{(self.folder / 'live.txt').read_text()[-5000:]}"
            for message in reader.consume(500, 0.5):
                assert message.error() is None, message.error()
                key = plain(json.loads(message.key())["customer_id"])
                found.pop(key, None)
                if message.value() is not None:
                    value = json.loads(message.value())
                    found[key] = (plain(value["n"]), plain(value["s"]))
        reader.close()


@pytest.fixture(params=["standalone", "distributed"])
def shop(request, tmp_path):
    """Standalone: messages with their schema, decimals as bytes. Distributed: without; exactly once, so that a worker may be killed."""
    distributed = request.param == "distributed"
    broker = servers.Tidemill(tmp_path / "broker")
    broker.start()
    postgres = Postgres()
    connect = None
    made = None
    try:
        postgres.run("CREATE DATABASE shop;")
        postgres.run(TABLES + orders(1, 200), "shop")
        connector = {"name": "shop", "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1",
                     "database.hostname": "127.0.0.1", "database.port": str(postgres.port), "database.user": "postgres", "database.password": "none",
                     "database.dbname": "shop", "topic.prefix": "shop", "plugin.name": "pgoutput", "schema.include.list": "public",
                     "topic.creation.default.replication.factor": "1", "topic.creation.default.partitions": "2", "status.update.interval.ms": "1000"}
        if distributed:
            connector |= {"decimal.handling.mode": "string", "exactly.once.support": "required"}
            connect = Connect(tmp_path / "connect", broker.address, True, connector,
                              **{"value.converter.schemas.enable": False, "exactly.once.source.support": "enabled"})
            formats = {"integer-time-unit": "micros"}
        else:
            connect = Connect(tmp_path / "connect", broker.address, False, connector, **{"value.converter.schemas.enable": True})
            formats = {"schema-include": "true"}
        connect.start()
        admin, end = AdminClient({"bootstrap.servers": broker.address}), time.monotonic() + DEADLINE_S
        while not {"shop.public.customers", "shop.public.orders"} <= set(admin.list_topics(timeout=60).topics):
            assert connect.process.poll() is None and time.monotonic() < end, connect.errors.read_text()[-5000:]
            time.sleep(0.1)
        made = Shop(postgres, connect, broker, tmp_path, formats)
        made.distributed = distributed
        yield made
    finally:
        if made is not None and made.live is not None and made.live.poll() is None:
            made.live.kill()
            made.live.wait()
        if connect is not None and connect.process is not None and connect.process.poll() is None:
            connect.kill()
        postgres.stop()
        if broker.process.poll() is None:
            broker.stop()


def test_tables_of_postgresql_through_debezium(shop):
    shop.agree()  # the rows that were there before
    shop.start_live()
    shop.live_agrees()
    for number, (_, sql) in enumerate(CHANGES):
        shop.postgres.run(sql, "shop")
        shop.agree(tier=number >= 2)
    # Changes while the worker is away, and while it comes back.
    shop.connect.kill() if shop.distributed else shop.connect.stop()
    shop.postgres.run(orders(500, 600) + "DELETE FROM orders WHERE id % 9 = 1; UPDATE customers SET tier = 5 WHERE id = 1;", "shop")
    shop.connect.start()
    shop.postgres.run("UPDATE orders SET amount = amount * 2 WHERE id % 2 = 0;", "shop")
    shop.agree(tier=True)
    # The same for the broker.
    shop.broker.stop()
    shop.postgres.run(orders(700, 800) + "DELETE FROM orders WHERE customer_id = 3;", "shop")
    shop.broker.start()
    shop.agree(tier=True)
    shop.live_agrees()
    log = shop.broker.errors.read_text()
    assert "ERROR" not in log, log
