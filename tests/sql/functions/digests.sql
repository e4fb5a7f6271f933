-- Digests and encodings.
CREATE TABLE t (s STRING) WITH ('connector' = 'rows');

-- input t
{"s": "abc"}
{"s": "Mühle"}
{"s": null}
{"s": ""}

SELECT MD5(s) AS m, SHA1(s) AS s1, SHA256(s) AS s2, TO_BASE64(s) AS b, FROM_BASE64(TO_BASE64(s)) AS back, HEX(s) AS h FROM t;
-- duckdb: SELECT md5(s) AS m, sha1(s) AS s1, sha256(s) AS s2, base64(encode(s)) AS b, s AS back, hex(s) AS h FROM t

-- expect
{"m":"900150983cd24fb0d6963f7d28e17f72","s1":"a9993e364706816aba3e25717850c26c9cd0d89d","s2":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","b":"YWJj","back":"abc","h":"616263"}
{"m":"950ddce68b76a88949f1ff2578ab3e43","s1":"5e216b1aa00f533741835ea006648acc5b5151c3","s2":"a48e56a8512816f2d9c6e84cf614f89398ad3528cd87ec9ceee6135addecf888","b":"TcO8aGxl","back":"Mühle","h":"4DC3BC686C65"}
{"m":"d41d8cd98f00b204e9800998ecf8427e","s1":"da39a3ee5e6b4b0d3255bfef95601890afd80709","s2":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","b":"","back":"","h":""}
{"m":null,"s1":null,"s2":null,"b":null,"back":null,"h":null}
