"""A Kinesis as moto plays it, boto3 as the client beside ours, and a proxy before it that checks signatures and makes faults.

What moto does otherwise than AWS: a split moves the records of the closed shard into the new ones, new records go into the closed one, and its last answer
has a next iterator.
"""
import http.server
import json
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from servers import Server, free_port

WAIT_S = 120
REGION = "us-east-1"
KEY_ID, SECRET = "AKIDTEST", "s3cr3t/k3y"


# moto says of itself that it is not safe for concurrency: one request at a time, though connections stay open.
SERVE = """
import sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

application, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()

def one_at_a_time(environment, start_response):
    with lock:
        return [b"".join(application(environment, start_response))]

run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
"""


class Kinesis(Server):
    kind = "moto"

    def start(self):
        self.port = free_port()
        self.run([sys.executable, "-c", SERVE, self.port])
        end = time.monotonic() + 60
        while True:
            self.check(end)
            try:
                urllib.request.urlopen(f"http://{self.address}/moto-api/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        self.client = boto3.client("kinesis", region_name=REGION, endpoint_url=f"http://{self.address}", aws_access_key_id=KEY_ID,
                                   aws_secret_access_key=SECRET, config=Config(retries={"max_attempts": 10}, read_timeout=WAIT_S))

    def create(self, shards: int = 1, prefix: str = "s") -> str:
        stream = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.client.create_stream(StreamName=stream, ShardCount=shards)
        self.client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1, "MaxAttempts": WAIT_S})
        return stream

    def put(self, stream: str, rows, key=None):
        for start in range(0, len(rows), 500):
            part = rows[start:start + 500]
            done = self.client.put_records(StreamName=stream, Records=[
                {"Data": row if isinstance(row, bytes) else json.dumps(row).encode(), "PartitionKey": str(key(row) if key else uuid.uuid4())} for row in part])
            assert done["FailedRecordCount"] == 0

    def records(self, stream: str) -> dict[str, list]:
        """Shard -> its records, those of closed ones too."""
        found = {}
        for shard in self.client.list_shards(StreamName=stream)["Shards"]:
            iterator = self.client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
            found[shard["ShardId"]] = self.client.get_records(ShardIterator=iterator, Limit=10000)["Records"]
        return found

    def rows(self, stream: str) -> list:
        return [json.loads(record["Data"]) for records in self.records(stream).values() for record in records]

    def wait_for_rows(self, stream: str, enough) -> list:
        end = time.monotonic() + WAIT_S
        while True:
            found = self.rows(stream)
            if enough(found):
                return found
            assert time.monotonic() < end, f"{stream}: {len(found)} rows, the last: {found[-3:]}"
            time.sleep(0.1)


class Proxy:
    """`fault(action, body)` answers (status, object) instead of Kinesis, or None; `change(action, answer)` may change what Kinesis answers."""

    def __init__(self, kinesis: Kinesis):
        self.kinesis = kinesis
        self.fault = lambda action, body: None
        self.change = lambda action, answer: answer
        self.signatures: list[bool] = []
        self.actions: list[str] = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                proxy.signatures.append(proxy.is_signed(self.headers, body))
                action = self.headers["X-Amz-Target"].split(".")[1]
                proxy.actions.append(action)
                answer = proxy.fault(action, json.loads(body))
                if answer is None:
                    answer = proxy.forward(self.headers, body)
                    if answer[0] == 200:
                        answer = (200, proxy.change(action, answer[1]))
                data = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def is_signed(self, headers, body: bytes) -> bool:
        """As botocore would have signed it."""
        given = headers["Authorization"]
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        request = AWSRequest("POST", f"http://{self.address}/", data=body, headers={name: headers[name] for name in names})
        request.context["timestamp"] = headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials(KEY_ID, SECRET), "kinesis", REGION)
        signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
        return given.endswith("Signature=" + signature) and f"Credential={KEY_ID}/" in given and "host" in names and "x-amz-target" in names

    def forward(self, headers, body: bytes):
        request = urllib.request.Request(f"http://{self.kinesis.address}/", data=body, method="POST",
                                         headers={name: headers[name] for name in ("Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Target")})
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as response:
                return response.status, json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def kinesis_table(server, name: str, columns: str, stream_name: str, after: str = "", **options) -> str:
    """CREATE TABLE; option names are written with _ for . and __ for -."""
    given = {"connector": "kinesis", "stream": stream_name, "aws.region": REGION, "aws.endpoint": f"http://{server.address}", "allow-addresses": "127.0.0.1",
             "aws.credentials.basic.accesskeyid": KEY_ID, "aws.credentials.basic.secretkey": SECRET, "format": "json"}
    given |= {key.replace("__", "-").replace("_", "."): value for key, value in options.items()}
    clause = ", ".join(f"'{key}' = '{value}'" for key, value in given.items() if value is not None)
    return f"CREATE TABLE {name} ({columns}) {after} WITH ({clause});\n"
