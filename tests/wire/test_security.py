"""TLS, SASL, ACLs and quotas, as real clients meet them."""
import asyncio
import re
import socket
import ssl
import struct
import subprocess
import time
from types import SimpleNamespace

import confluent_kafka as ck
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from servers import BINARY, Tidemill

SECURITY = """
tls: {certificate: server.crt, key: server.key, client_ca: ca.crt, client_certificate: requested}
sasl: {mechanisms: [SCRAM-SHA-512, SCRAM-SHA-256, PLAIN]}
users:
  admin: {password: "${env:TIDEMILL_TEST_PASSWORD}"}
  writer: {password: "${file:PASSWORD_FILE}"}
  reader: {password: "reader: secret, with = signs"}
  nobody: {password: nothing}
super_users: ["User:admin"]
acls:
  - {principal: "User:writer", operations: [write, create], topic_prefix: "shop."}
  - {principal: "User:writer", operations: [write, describe], transactional_id: "w"}
  - {principal: "User:reader", operations: [read], topic_prefix: "shop."}
  - {principal: "User:reader", operations: [read], group: readers}
  - {principal: "User:reader", permission: deny, operations: [read], topic: shop.secret}
quotas:
  - {user: writer, client_id: slow, produce_bytes_per_second: 100 KB}
  - {user: reader, client_id: slow, fetch_bytes_per_second: 200 KB}
"""
PASSWORDS = {"admin": "a d m i n", "writer": "writer's", "reader": "reader: secret, with = signs", "nobody": "nothing"}


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    for authority in ("ca", "other-ca"):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{authority}.key", "-out",
                f"{authority}.crt", "-days", "2", "-subj", f"/CN={authority}")
    for name, authority, extra in (("server", "ca", "subjectAltName=IP:127.0.0.1,DNS:localhost"), ("alice", "ca", "extendedKeyUsage=clientAuth"),
                                   ("mallory", "other-ca", "extendedKeyUsage=clientAuth")):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/O=shop/CN={name}")
        (folder / f"{name}.ext").write_text(extra)
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key", "-CAcreateserial", "-out",
                f"{name}.crt", "-days", "2", "-extfile", f"{name}.ext")
    return folder


@pytest.fixture
def start(tmp_path, certificates, monkeypatch):
    """Starts a server with a security file."""
    monkeypatch.setenv("TIDEMILL_TEST_PASSWORD", PASSWORDS["admin"])
    (certificates / "writer.password").write_text(PASSWORDS["writer"] + "\n")
    brokers = []

    def begin(text):
        file = certificates / f"{tmp_path.name}.yaml"
        file.write_text(text.replace("PASSWORD_FILE", str(certificates / "writer.password")))
        brokers.append(Tidemill(tmp_path, "--kafka-security", str(file)))
        brokers[-1].start()
        return brokers[-1]

    yield begin
    for broker in brokers:
        broker.stop()
        log = broker.errors.read_text()
        assert "ERROR" not in log, log
        assert not any(password in log for password in PASSWORDS.values())


@pytest.fixture
def secured(start):
    return start(SECURITY)


@pytest.fixture
def settings(secured, certificates):
    def of(user, mechanism="SCRAM-SHA-512", password=None, **more):
        return {"bootstrap.servers": secured.address, "security.protocol": "SASL_SSL", "ssl.ca.location": str(certificates / "ca.crt"),
                "sasl.mechanism": mechanism, "sasl.username": user, "sasl.password": password or PASSWORDS[user], "log_level": 0, **more}
    return of


def create(settings, *topics):
    admin = AdminClient(settings("admin"))
    for future in admin.create_topics([NewTopic(topic, 1, 1) for topic in topics]).values():
        future.result(60)


def produce(configuration, topic, value="v", count=1):
    """The error of the last message, or None."""
    errors = []
    producer = ck.Producer({"message.timeout.ms": 60000, **configuration})
    for _ in range(count):
        producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(90) == 0
    return errors[-1].code() if errors[-1] else None


def consume(configuration, topic, count, group="readers", seconds=60):
    """The values, or the first error."""
    reader = ck.Consumer({"group.id": group, "auto.offset.reset": "earliest", **configuration})
    reader.subscribe([topic])
    values, end = [], time.monotonic() + seconds
    try:
        while len(values) < count and time.monotonic() < end:
            message = reader.poll(0.2)
            if message is None:
                continue
            if message.error():
                return message.error().code()
            values.append(message.value().decode())
        return values
    finally:
        reader.close()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_librdkafka_logs_in(settings, mechanism):
    create(settings, "shop.orders")
    assert produce(settings("writer", mechanism), "shop.orders", "ordered") is None
    assert consume(settings("reader", mechanism), "shop.orders", 1) == ["ordered"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"])
def test_kafka_python_logs_in(secured, settings, certificates, mechanism):
    create(settings, "shop.orders")
    common = dict(bootstrap_servers=secured.address, security_protocol="SASL_SSL", ssl_cafile=str(certificates / "ca.crt"), sasl_mechanism=mechanism)
    producer = KafkaProducer(sasl_plain_username="writer", sasl_plain_password=PASSWORDS["writer"], **common)
    assert producer.send("shop.orders", b"ordered").get(20).offset == 0
    producer.close()
    reader = KafkaConsumer("shop.orders", group_id="readers", auto_offset_reset="earliest", consumer_timeout_ms=20000, sasl_plain_username="reader",
                           sasl_plain_password=PASSWORDS["reader"], **common)
    assert next(reader).value == b"ordered"
    reader.close()
    with pytest.raises(KafkaError):
        KafkaProducer(sasl_plain_username="writer", sasl_plain_password="wrong", bootstrap_timeout_ms=3000, **common).send("shop.orders", b"x").get(10)


def test_aiokafka_logs_in(secured, settings, certificates):
    create(settings, "shop.orders")
    context = ssl.create_default_context(cafile=str(certificates / "ca.crt"))
    common = dict(bootstrap_servers=secured.address, security_protocol="SASL_SSL", ssl_context=context, sasl_mechanism="SCRAM-SHA-256")

    async def run():
        producer = AIOKafkaProducer(sasl_plain_username="writer", sasl_plain_password=PASSWORDS["writer"], **common)
        await producer.start()
        await producer.send_and_wait("shop.orders", b"ordered")
        await producer.stop()
        reader = AIOKafkaConsumer("shop.orders", group_id="readers", auto_offset_reset="earliest", sasl_plain_username="reader",
                                  sasl_plain_password=PASSWORDS["reader"], **common)
        await reader.start()
        assert (await asyncio.wait_for(reader.getone(), 20)).value == b"ordered"
        await reader.stop()

    asyncio.run(run())


@pytest.mark.parametrize("change", [
    {"sasl.password": "wrong"},
    {"sasl.username": "who"},
    {"sasl.mechanism": "PLAIN", "sasl.password": "wrong"},
    {"sasl.mechanism": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": True},
    {"security.protocol": "SSL"},
    {"security.protocol": "SASL_PLAINTEXT"},
    {"security.protocol": "PLAINTEXT"},
], ids=str)
def test_who_does_not_log_in_gets_nothing(settings, change):
    with pytest.raises(ck.KafkaException):
        AdminClient({**settings("writer"), **change}).list_topics(timeout=2)
    assert AdminClient(settings("writer")).list_topics(timeout=60).topics == {}


def test_acls(settings):
    create(settings, "shop.orders", "shop.secret", "private")
    denied = ck.KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert produce(settings("writer"), "shop.orders") is None
    assert produce(settings("writer", **{"enable.idempotence": True}), "shop.secret") is None
    assert produce(settings("writer"), "private") == denied
    assert produce(settings("writer"), "not-there") == denied, "not that it does not exist"
    assert produce(settings("writer"), "shop.new") is None, "may create, so asking for it makes it"
    assert produce(settings("reader"), "shop.orders") == denied
    assert produce(settings("nobody"), "shop.orders") == denied
    assert consume(settings("reader"), "shop.orders", 1) == ["v"]
    assert consume(settings("reader"), "shop.secret", 1) == denied
    assert consume(settings("reader"), "shop.orders", 1, group="others") == ck.KafkaError.GROUP_AUTHORIZATION_FAILED
    assert consume(settings("reader", **{"group.protocol": "consumer"}), "shop.orders", 1, group="others") == ck.KafkaError.GROUP_AUTHORIZATION_FAILED
    assert consume(settings("writer"), "shop.orders", 1) == ck.KafkaError.GROUP_AUTHORIZATION_FAILED
    assert set(AdminClient(settings("admin")).list_topics(timeout=60).topics) == {"shop.orders", "shop.secret", "private", "shop.new"}
    assert set(AdminClient(settings("reader")).list_topics(timeout=60).topics) == {"shop.orders", "shop.secret", "shop.new"}
    reader, nobody = AdminClient(settings("reader")), AdminClient(settings("nobody"))
    for act in (lambda admin: admin.create_topics([NewTopic("more", 1, 1)])["more"], lambda admin: admin.delete_topics(["private"])["private"],
                lambda admin: admin.delete_consumer_groups(["readers"])["readers"]):
        with pytest.raises(ck.KafkaException) as caught:
            act(reader).result(60)
        assert caught.value.args[0].name().endswith("AUTHORIZATION_FAILED")
    assert [group.group_id for group in nobody.list_consumer_groups().result(60).valid] == []
    assert [group.group_id for group in reader.list_consumer_groups().result(60).valid] == ["readers"]


def test_transactions_need_their_id(settings):
    create(settings, "shop.orders")
    allowed = ck.Producer(settings("writer", **{"transactional.id": "w"}))
    allowed.init_transactions(60)
    allowed.begin_transaction()
    allowed.produce("shop.orders", "t")
    allowed.commit_transaction(60)
    with pytest.raises(ck.KafkaException) as caught:
        ck.Producer(settings("writer", **{"transactional.id": "another"})).init_transactions(60)
    assert caught.value.args[0].code() == ck.KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
    assert consume(settings("reader"), "shop.orders", 1) == ["t"]


def test_quotas_slow_down_and_lose_nothing(settings):
    create(settings, "shop.orders")
    value = "x" * 10_000
    small = {"batch.num.messages": 5, "compression.type": "none"}
    began = time.monotonic()
    assert produce(settings("writer", **{"client.id": "slow", **small}), "shop.orders", value, 50) is None
    took = time.monotonic() - began
    assert took > 2.5, f"500 KB at 100 KB a second, of which one second's worth at once, took {took:.1f} s"
    assert produce(settings("writer", **small), "shop.orders", value, 50) is None
    began = time.monotonic()
    assert len(consume(settings("reader", **{"client.id": "slow", "fetch.message.max.bytes": 100_000}), "shop.orders", 100, seconds=120)) == 100
    took = time.monotonic() - began
    assert took > 2, f"1 MB at 200 KB a second, of which one second's worth may come at once, took {took:.1f} s"


def test_certificates_of_clients(start, certificates):
    broker = start("""
tls: {certificate: server.crt, key: server.key, client_ca: ca.crt}
acls:
  - {principal: "User:CN=alice,O=shop", operations: [all], topic: "*"}
  - {principal: "User:CN=alice,O=shop", operations: [all], group: "*"}
""")

    def configuration(name):
        own = {"ssl.certificate.location": str(certificates / f"{name}.crt"), "ssl.key.location": str(certificates / f"{name}.key")} if name else {}
        return {"bootstrap.servers": broker.address, "security.protocol": "SSL", "ssl.ca.location": str(certificates / "ca.crt"), "log_level": 0, **own}

    assert produce(configuration("alice"), "made") is None
    assert consume(configuration("alice"), "made", 1) == ["v"]
    for stranger in ("mallory", None):
        with pytest.raises(ck.KafkaException):
            AdminClient(configuration(stranger)).list_topics(timeout=2)


def test_tls_before_1_2_is_refused(secured):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl._create_unverified_context()
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", secured.port), timeout=60) as plain, context.wrap_socket(plain) as tls:
            assert tls.version() == version.name.replace("_", ".")
    context = ssl._create_unverified_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", secured.port), timeout=60) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain)


def test_strangers_can_not_send_much(secured):
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", secured.port), timeout=60) as plain, context.wrap_socket(plain) as tls:
        tls.sendall(struct.pack(">i", 1 << 20))
        assert tls.recv(1) == b""


@pytest.mark.parametrize("text, where, what", [
    ("tls: {certificate: server.crt, key: server.key", "1:", ""),
    ("user: {}", "1:1", "did you mean 'users'?"),
    ("users: {a: {pasword: x}}", "1:13", "did you mean 'password'?"),
    ("users: {a: {}}", "1:12", "user 'a' has no password"),
    ("users:\n  a: {password: \"${env:TIDEMILL_NOT_SET}\"}", "2:17", "TIDEMILL_NOT_SET"),
    ("users: {a: {password: x}}\nacls:\n  - {principal: a, operations: [read], topic: t}", "3:17", "'User:<name>'"),
    ("users: {a: {password: x}}\nacls:\n  - {principal: \"User:a\", operations: [reed], topic: t}", "3:40", "an operation is one of"),
    ("users: {a: {password: x}}\nacls:\n  - {principal: \"User:a\", operations: [read]}", "3:5", "topic_prefix"),
    ("acls: []", "1:1", "prove who they are"),
    ("sasl: {mechanisms: [GSSAPI]}", "1:21", "a mechanism is"),
    ("tls: {certificate: not-there.crt, key: server.key}", "1:6", "not-there.crt"),
    ("tls: {certificate: server.key, key: server.key}", "1:6", "no certificate in PEM"),
    ("tls: {certificate: server.crt, key: alice.key}", "1:6", "does not fit"),
    ("tls: {certificate: server.crt, key: server.key, client_certificate: required}", "1:69", "'client_ca'"),
    ("quotas:\n  - {user: a, produce_bytes_per_second: fast}", "2:41", "bytes a second"),
])
def test_mistakes_in_the_file_are_shown_where_they_are(tmp_path, certificates, text, where, what):
    file = certificates / "wrong.yaml"
    file.write_text(text)
    done = subprocess.run([BINARY, "--data-dir", tmp_path / "data", "serve", "--http", "127.0.0.1:0", "--schema-registry", "off", "--kafka", "127.0.0.1:0", "--kafka-security", file],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert re.search(r"error\[TM\d+\]", done.stderr) and f"wrong.yaml:{where}" in done.stderr and what in done.stderr, done.stderr


@pytest.mark.parametrize("command", [["serve", "--kafka", "off"], ["run", "none.sql"]])
def test_a_security_file_for_nobody_is_a_mistake(tmp_path, command):
    done = subprocess.run([BINARY, "--data-dir", tmp_path / "data", *command, "--kafka-security", "any.yaml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "nobody to let in" in done.stderr


def test_only_with_tls_and_users_is_it_open_to_others(tmp_path, certificates):
    def starts(text):
        file = certificates / "open.yaml"
        file.write_text(text)
        process = subprocess.Popen([BINARY, "--data-dir", tmp_path / "data", "serve", "--http", "127.0.0.1:0", "--schema-registry", "off", "--kafka", "0.0.0.0:0", "--kafka-security",
                                    file], stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 60
        while process.poll() is None and not (tmp_path / "data" / "kafka.port").exists() and time.monotonic() < end:
            time.sleep(0.01)
        process.terminate()
        return SimpleNamespace(code=process.wait(60), errors=process.stderr.read())

    users = "users: {a: {password: x}}\n"
    refused = starts(users)
    assert refused.code == 2 and "TM1015" in refused.errors and "--kafka-security" in refused.errors
    assert starts("tls: {certificate: server.crt, key: server.key}").code == 2
    assert starts(users + "tls: {certificate: server.crt, key: server.key}").code == 0
    assert starts("tls: {certificate: server.crt, key: server.key, client_ca: ca.crt}").code == 0
