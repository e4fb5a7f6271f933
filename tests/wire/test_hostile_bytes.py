"""Bytes that no client would send: they end their own connection only."""
import random
import socket
import struct

import pytest
from kafka import KafkaProducer
from kafka.record.default_records import DefaultRecordBatchBuilder


def connect(broker):
    return socket.create_connection(("127.0.0.1", broker.port), timeout=60)


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


def closes(connection, data):
    """Whether the server ends the connection after `data`; what it sends before that is read."""
    try:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:  # reset, or closed before we were done
        return True


def request(key, version, body=b""):
    return frame(struct.pack(">hhih", key, version, 7, -1) + body)


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\n\r\n",
    struct.pack(">i", -1),
    struct.pack(">i", 2**31 - 1),
    frame(b""),
    frame(b"\x00"),
    request(999, 0),
    request(0, 99),
    request(1, 4, b"\x00" * 3),
    request(3, 1, struct.pack(">i", 2**31 - 1)),
    request(11, 0, b"\xff" * 40),
    frame(b"\xff" * 100),
], ids=lambda data: data[:12].hex())
def test_malformed_requests_end_their_connection_only(broker, topic, data):
    producer = KafkaProducer(bootstrap_servers=broker.address)
    producer.send(topic, b"before").get(60)
    with connect(broker) as hostile:
        assert closes(hostile, data)
    assert producer.send(topic, b"after").get(60).offset == 1
    producer.close()
    assert broker.process.poll() is None


def produce_request(topic, partition, batch, acks):
    name = topic.encode()
    return request(0, 3, struct.pack(">hhiih", -1, acks, 60_000, 1, len(name)) + name + struct.pack(">iii", 1, partition, len(batch)) + batch)


def one_batch():
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 1 << 16)
    assert builder.append(0, timestamp=1_000, key=b"k", value=b"value", headers=[])
    return bytes(builder.build())


def test_a_batch_that_was_damaged_on_its_way_can_be_sent_again(broker, topic):
    producer = KafkaProducer(bootstrap_servers=broker.address)
    producer.send(topic, b"before").get(60)
    producer.close()
    good = one_batch()
    with connect(broker) as client:
        for batch, error, offset in ((good, 0, 1), (good[:-1] + bytes([good[-1] ^ 1]), 2, -1), (good, 0, 2)):
            client.sendall(produce_request(topic, 0, batch, acks=-1))
            answer = client.recv(struct.unpack(">i", client.recv(4, socket.MSG_WAITALL))[0], socket.MSG_WAITALL)
            assert struct.unpack(">ihq", answer[14 + len(topic):28 + len(topic)]) == (0, error, offset)


def test_who_wants_no_answer_is_cut_off_by_a_refusal(broker, topic):
    producer = KafkaProducer(bootstrap_servers=broker.address)
    producer.send(topic, b"before").get(60)
    producer.close()
    with connect(broker) as client:
        client.sendall(produce_request(topic, 0, one_batch(), acks=0) + produce_request(topic, 77, one_batch(), acks=0))
        assert client.recv(1) == b""


def test_an_api_version_from_the_future_is_told_what_there_is(broker):
    with connect(broker) as client:
        client.sendall(request(18, 50, b"\x00"))  # from version 3 on a header ends with tagged fields
        size = struct.unpack(">i", client.recv(4))[0]
        body = client.recv(size)
        correlation, error, count = struct.unpack(">ihi", body[:10])
        assert (correlation, error, count) == (7, 35, 1)
        assert struct.unpack(">hhh", body[10:16])[0] == 18


def test_thousands_of_garbled_requests_leave_the_server_whole(broker, topic):
    producer = KafkaProducer(bootstrap_servers=broker.address)
    producer.send(topic, b"first").get(60)
    chance = random.Random(20261121)
    for _ in range(1500):
        key = chance.choice([0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 25, 26, 28, 32, 33, 37, 42, 44, 47, 60, 61, 65, 66, 68, 69])
        body = bytes(chance.choice([0, 0, 0, 1, 2, 255, chance.randrange(256)]) for _ in range(chance.randrange(60)))
        with connect(broker) as hostile:
            assert closes(hostile, request(key, chance.randrange(12), body))
    assert producer.send(topic, b"last").get(60).topic == topic
    producer.close()
