"""Options of 'kafka' and 'upsert-kafka' tables that are wrong, and what can't be had yet: found without a broker."""
import pytest

from kafka_cluster import Kafka, table, upsert_table

WRONG = [
    ({"topic": None}, "TM2113", "needs option 'topic' or 'topic-pattern'"),
    ({"topic__pattern": "a.*"}, "TM2111", "exclude each other"),
    ({"topic": None, "topic__pattern": "a("}, "TM2111", "not a regular expression"),
    ({"topic": "a b"}, "TM2111", "'a b' is not a topic name"),
    ({"properties_bootstrap_servers": None}, "TM2113", "needs option 'properties.bootstrap.servers'"),
    ({"properties_bootstrap_server": "x"}, "TM2112", "did you mean 'properties.bootstrap.servers'?"),
    ({"properties_fetch_min_byte": "1"}, "TM2112", "did you mean 'properties.fetch.min.bytes'?"),
    ({"properties_fetch_min_bytes": "many"}, "TM2111", "fetch.min.bytes"),
    ({"properties_security_protocol": "SASL"}, "TM2111", "security.protocol"),
    ({"properties_ssl_truststore_location": "/etc/trust.jks"}, "TM2111", "properties.ssl.ca.location"),
    ({"properties_ssl_keystore_location": "/etc/key.jks"}, "TM2111", "PKCS#12"),
    ({"properties_sasl_jaas_config": "com.sun.security.auth.module.Krb5LoginModule required;"}, "TM2111", "PlainLoginModule"),
    ({"properties_value_deserializer": "X"}, "TM2111", "the table's 'format'"),
    ({"properties_transactional_id": "x"}, "TM2111", "exactly-once"),
    ({"properties_plugin_library_paths": "/tmp/x.so"}, "TM2111", "code is not loaded"),
    ({"properties_enable_auto_commit": "true"}, "TM2111", "committed with each epoch"),
    ({"format": None}, "TM2113", "needs option 'format'"),
    ({"format": "parquet"}, "TM2111", "'parquet' is not a format of records"),
    ({"scan_startup_mode": "earliest"}, "TM2111", "not one of earliest-offset"),
    ({"scan_startup_mode": "timestamp"}, "TM2111", "needs option 'scan.startup.timestamp-millis'"),
    ({"scan_startup_mode": "specific-offsets", "scan_startup_specific__offsets": "0:1"}, "TM2111", "partition:0,offset:42"),
    ({"scan_startup_timestamp__millis": "1"}, "TM2111", "means something only with"),
    ({"scan_bounded_mode": "earliest-offset"}, "TM2111", "not one of unbounded"),
    ({"scan_topic__partition__discovery_interval": "often"}, "TM2111", "often"),
    ({"key_format": "json"}, "TM2111", "needs 'key.fields'"),
    ({"key_fields": "n"}, "TM2111", "needs 'key.format'"),
    ({"key_format": "json", "key_fields": "m"}, "TM2111", "'m' is not a physical column"),
    ({"key_format": "json", "key_fields": "n", "key_fields__prefix": "n"}, "TM2111", "EXCEPT_KEY"),
    ({"value_fields__include": "SOME"}, "TM2111", "not one of ALL, EXCEPT_KEY"),
    ({"sink_partitioner": "com.example.Mine"}, "TM2111", "not one of default, fixed, round-robin"),
    ({"sink_delivery__guarantee": "exactly-once"}, "TM2111", "comes with a later version"),
    ({"sink_parallelism": "0"}, "TM2111", "at least 1"),
    ({"sink_buffer__flush_max__rows": "1"}, "TM2112", "has no option"),
]


@pytest.mark.parametrize("options, code, text", WRONG, ids=lambda value: "-".join(value) if isinstance(value, dict) else None)
def test_wrong_options_are_named_where_they_stand(tm, options, code, text):
    nobody = Kafka.__new__(Kafka)
    nobody.address = "127.0.0.1:1"
    given = {"topic": "t"} | options
    topic = given.pop("topic")
    script = tm.script("wrong.sql", table(nobody, "i", "n BIGINT", topic, **given))
    done = tm.run("check", script, code=3)
    assert done.stderr.startswith(f"error[{code}]: ") and text in done.stderr, done.stderr
    assert "wrong.sql:1:" in done.stderr
    wrong = [value for key, value in options.items() if value is not None]
    if code == "TM2111" and len(wrong) == 1:  # the caret stands under the option's value or the one that needs it
        assert "^" in done.stderr


@pytest.mark.parametrize("columns, options, text", [
    ("n BIGINT", {}, "needs PRIMARY KEY"),
    ("n BIGINT, PRIMARY KEY (n) NOT ENFORCED", {"key_format": None}, "needs option 'key.format'"),
    ("n BIGINT, PRIMARY KEY (n) NOT ENFORCED", {"value_format": None}, "needs option 'value.format'"),
    ("n BIGINT, PRIMARY KEY (n) NOT ENFORCED", {"sink_buffer__flush_max__rows": "5"}, "both above 0"),
    ("n BIGINT, e INT METADATA FROM 'leader-epoch' VIRTUAL, PRIMARY KEY (n) NOT ENFORCED", {}, "librdkafka 2.1"),
])
def test_wrong_upsert_tables_are_refused(tm, columns, options, text):
    nobody = Kafka.__new__(Kafka)
    nobody.address = "127.0.0.1:1"
    done = tm.run("check", tm.script("wrong.sql", upsert_table(nobody, "i", columns, "t", **options)), code=3)
    assert text in done.stderr and "wrong.sql:1:" in done.stderr


@pytest.mark.parametrize("statement, text", [
    ("INSERT INTO o SELECT n, v FROM i WHERE v > 1;", "Filter can't take changes by key"),
    ("INSERT INTO o SELECT v, COUNT(*) FROM i GROUP BY v;", "GroupAggregate can't take changes by key"),
    ("INSERT INTO o SELECT v, n FROM i;", "is not the key of the changes"),
    ("INSERT INTO plain SELECT n FROM i;", "has no PRIMARY KEY"),
])
def test_what_changes_by_key_cannot_do_yet_is_refused(tm, statement, text):
    nobody = Kafka.__new__(Kafka)
    nobody.address = "127.0.0.1:1"
    columns = "n BIGINT, v BIGINT, PRIMARY KEY (n) NOT ENFORCED"
    script = tm.script("refused.sql", upsert_table(nobody, "i", columns, "t") + upsert_table(nobody, "o", columns, "u") +
                       table(nobody, "plain", "n BIGINT", "v") + statement)
    done = tm.run("check", script, code=3)
    assert "error[TM2117]" in done.stderr and text in done.stderr, done.stderr


def test_secrets_are_not_shown(tm):
    nobody = Kafka.__new__(Kafka)
    nobody.address = "127.0.0.1:1"
    secret = tm.work / "secret"
    secret.write_text("hunter2\n")
    script = tm.script("secret.sql", table(nobody, "i", "n BIGINT", "t", properties_security_protocol="SASL_PLAINTEXT", properties_sasl_mechanism="PLAIN",
                                           properties_default_api_timeout_ms="1000", properties_sasl_username="me",
                                           properties_sasl_password="${file:%s}" % secret) +
                       "CREATE TABLE o (n BIGINT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n FROM i;")
    done = tm.run("-v", "run", script, code=4)
    assert "hunter2" not in done.stderr + done.stdout
    assert "hunter2" not in tm.run("explain", script).stdout
