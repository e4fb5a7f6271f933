-- VALUES alone; types are the common ones, NULL fits all.
VALUES (1, 'a', 1.5), (2, NULL, 2), (NULL, 'it''s', NULL);

-- By Flink's naming the columns are EXPR$0, EXPR$1 and so on.
-- expect
{"EXPR$0": 1, "EXPR$1": "a", "EXPR$2": 1.5}
{"EXPR$0": 2, "EXPR$1": null, "EXPR$2": 2.0}
{"EXPR$0": null, "EXPR$1": "it's", "EXPR$2": null}
