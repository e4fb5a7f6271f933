#include "server/http_api.h"

namespace tidemill {

std::string_view OpenApiText() {
  return R"json({
  "openapi": "3.1.0",
  "info": {
    "title": "Tidemill",
    "version": "1",
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    "description": "Served by `tidemill serve` and `tidemill run --http`. Errors are RFC 9457 problem documents with a code that `tidemill explain` knows; the Feast paths keep Feast's shape."
  },
  "paths": {
    "/healthz": {
      "get": {"summary": "The process is alive and its log takes writes", "responses": {"200": {"description": "Alive"}, "503": {"$ref": "#/components/responses/Problem"}}}
    },
    "/readyz": {
      "get": {
        "summary": "Every job runs, with its state restored and its models loaded",
        "responses": {
          "200": {"description": "Ready", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}},
          "503": {"description": "Not ready", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}}
        }
      }
    },
    "/metrics": {
      "get": {"summary": "Metrics, Prometheus text format 0.0.4", "responses": {"200": {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}}}
    },
    "/version": {
      "get": {"summary": "Name, version, build", "responses": {"200": {"description": "Version"}}}
    },
    "/openapi.json": {
      "get": {"summary": "This document", "responses": {"200": {"description": "OpenAPI 3.1"}}}
    },
    "/api/v1/jobs": {
      "get": {
        "summary": "Jobs of this process",
        "responses": {"200": {"description": "Jobs", "content": {"application/json": {"schema": {"type": "object", "properties": {"jobs": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}}}}}}}}
      }
    },
    "/api/v1/jobs/{id}": {
      "get": {
        "summary": "One job",
        "parameters": [{"$ref": "#/components/parameters/Id"}],
        "responses": {"200": {"description": "Job", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}}, "404": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/api/v1/topics": {
      "get": {"summary": "Topics with their partitions and offsets", "responses": {"200": {"description": "Topics"}}},
      "post": {
        "summary": "Create a topic",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["name"], "properties": {
          "name": {"type": "string"}, "config": {"type": "object", "description": "partitions, retention.ms, ...: Kafka's names"}
        }}}}},
        "responses": {"201": {"description": "Topic"}, "400": {"$ref": "#/components/responses/Problem"}, "409": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/api/v1/topics/{topic}": {
      "get": {
        "summary": "One topic",
        "parameters": [{"$ref": "#/components/parameters/Topic"}],
        "responses": {"200": {"description": "Topic"}, "404": {"$ref": "#/components/responses/Problem"}}
      },
      "delete": {
        "summary": "Delete a topic and its records",
        "parameters": [{"$ref": "#/components/parameters/Topic"}],
        "responses": {"200": {"description": "Deleted"}, "404": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/api/v1/topics/{topic}/records": {
      "post": {
        "summary": "Append records; answered when they are on disk",
        "description": "application/x-ndjson: each line is one record's value; a request with a line over the topic's max.message.bytes is refused whole. A full disk may come between the partitions of a request with keys: then the problem also has `accepted`, `ranges` and `lines_not_accepted` (from 1) or `records_not_accepted` (from 0). application/vnd.kafka.json.v2+json and application/vnd.kafka.binary.v2+json: as Confluent's REST proxy.",
        "parameters": [
          {"$ref": "#/components/parameters/Topic"},
          {"name": "key", "in": "query", "description": "Field of each JSON line that is the record's key", "schema": {"type": "string"}},
          {"name": "partition", "in": "query", "description": "Write to this partition only", "schema": {"type": "integer", "minimum": 0}},
          {"name": "create", "in": "query", "description": "true: create the topic when it is missing", "schema": {"type": "boolean"}}
        ],
        "requestBody": {
          "required": true,
          "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/vnd.kafka.json.v2+json": {"schema": {"$ref": "#/components/schemas/Records"}},
            "application/vnd.kafka.binary.v2+json": {"schema": {"$ref": "#/components/schemas/Records"}},
            "application/vnd.tidemill.text+json": {"schema": {"$ref": "#/components/schemas/Records"}}
          }
        },
        "responses": {
          "200": {"description": "Durable", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Accepted"}}}},
          "400": {"$ref": "#/components/responses/Problem"},
          "404": {"$ref": "#/components/responses/Problem"},
          "413": {"$ref": "#/components/responses/Problem"},
          "415": {"$ref": "#/components/responses/Problem"},
          "507": {"$ref": "#/components/responses/Problem"}
        }
      },
      "get": {
        "summary": "Read records of one partition",
        "parameters": [
          {"$ref": "#/components/parameters/Topic"},
          {"name": "partition", "in": "query", "schema": {"type": "integer", "default": 0}},
          {"name": "offset", "in": "query", "description": "start, end, an offset, -N (before the end), @TIME (ms since 1970 or text)", "schema": {"type": "string", "default": "start"}},
          {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100}}
        ],
        "responses": {"200": {"description": "Records", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}, "404": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/topics/{topic}": {
      "post": {
        "summary": "As POST /api/v1/topics/{topic}/records, where Confluent's REST proxy has it",
        "parameters": [{"$ref": "#/components/parameters/Topic"}],
        "requestBody": {"required": true, "content": {"application/vnd.kafka.json.v2+json": {"schema": {"$ref": "#/components/schemas/Records"}}}},
        "responses": {"200": {"description": "Durable"}, "404": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/api/v1/dlq": {
      "get": {"summary": "Refused rows by table and reason", "responses": {"200": {"description": "Counts with the newest example"}}}
    },
    "/api/v1/dlq/replay": {
      "post": {
        "summary": "Write refused rows again, up to 10,000 at a time",
        "description": "Each row once, unless `all` or `reason` is given. While `rest` of the answer is not empty there is more: send the request again with it.",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["table"], "properties": {
          "table": {"type": "string", "description": "Table, or topic dlq.TABLE"},
          "to": {"type": "string", "description": "Topic to write to; otherwise where each row came from"},
          "reason": {"type": "string"}, "dry_run": {"type": "boolean"}, "all": {"type": "boolean"},
          "rest": {"$ref": "#/components/schemas/ReplayRest"}
        }}}}},
        "responses": {
          "200": {"description": "Durable", "content": {"application/json": {"schema": {"type": "object", "required": ["to", "rest"], "properties": {
            "to": {"type": "object", "description": "Records by topic", "additionalProperties": {"type": "integer"}},
            "rest": {"$ref": "#/components/schemas/ReplayRest"}
          }}}}},
          "400": {"$ref": "#/components/responses/Problem"}, "404": {"$ref": "#/components/responses/Problem"}, "507": {"$ref": "#/components/responses/Problem"}
        }
      }
    },
    "/api/v1/dlq/{topic}": {
      "delete": {
        "summary": "Forget all refused rows of a table (its name, or topic dlq.TABLE)",
        "parameters": [{"$ref": "#/components/parameters/Topic"}],
        "responses": {"200": {"description": "The topic and the number of its records"}, "404": {"$ref": "#/components/responses/Problem"}}
      }
    },
    "/api/v1/features": {
      "get": {"summary": "Feature views with their columns and freshness", "responses": {"200": {"description": "Views"}}}
    },
    "/get-online-features": {
      "post": {
        "summary": "Feast's feature server: the newest features of entities",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["features", "entities"], "properties": {
          "features": {"type": "array", "items": {"type": "string", "examples": ["card_stats:tx_5m"]}},
          "entities": {"type": "object", "additionalProperties": {"type": "array"}},
          "full_feature_names": {"type": "boolean"}
        }}}}},
        "responses": {"200": {"description": "metadata.feature_names and results[{values, statuses, event_timestamps}]"}, "400": {"description": "Feast's error shape"}}
      }
    },
    "/push": {
      "post": {
        "summary": "Feast's feature server: write feature rows",
        "requestBody": {"required": true, "content": {"application/json": {"schema": {"type": "object", "required": ["push_source_name", "df"], "properties": {
          "push_source_name": {"type": "string"},
          "df": {"type": "object", "additionalProperties": {"type": "array"}},
          "to": {"type": "string", "enum": ["online", "offline", "online_and_offline"]}
        }}}}},
        "responses": {"200": {"description": "Written"}, "400": {"description": "Feast's error shape"}}
      }
    }
  },
  "components": {
    "parameters": {
      "Id": {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
      "Topic": {"name": "topic", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"}}
    },
    "responses": {
      "Problem": {"description": "What went wrong", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    },
    "schemas": {
      "Problem": {"type": "object", "required": ["title", "status"], "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"}, "code": {"type": "string"},
        "hint": {"type": "string"}, "notes": {"type": "array", "items": {"type": "string"}}
      }},
      "Readiness": {"type": "object", "required": ["status", "checks"], "properties": {
        "status": {"type": "string", "enum": ["ready", "not ready"]},
        "checks": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "ok": {"type": "boolean"}, "detail": {"type": "string"}}}}
      }},
      "Job": {"type": "object", "required": ["id", "state"], "properties": {
        "id": {"type": "string"}, "script": {"type": "string"},
        "state": {"type": "string", "enum": ["starting", "running", "restarting", "finished", "failed", "cancelled"]},
        "bounded": {"type": "boolean"}, "started": {"type": ["string", "null"]}, "epoch": {"type": "integer"}, "restored_epoch": {"type": "integer"},
        "restarts": {"type": "integer"}, "records_in": {"type": "integer"}, "records_out": {"type": "integer"},
        "state_bytes": {"type": "integer"}, "state_keys": {"type": "integer"}, "sources": {"type": "array", "items": {"type": "object"}},
        "notes": {"type": "array", "items": {"type": "string"}}, "error": {"type": ["object", "null"]}
      }},
      "Records": {"type": "object", "required": ["records"], "properties": {
        "records": {"type": "array", "items": {"type": "object", "properties": {"key": {}, "value": {}, "partition": {"type": "integer"}, "timestamp": {"type": "integer"}}}}
      }},
      "Accepted": {"type": "object", "required": ["accepted", "ranges"], "properties": {
        "accepted": {"type": "integer"},
        "ranges": {"type": "array", "items": {"type": "object", "properties": {"partition": {"type": "integer"}, "first_offset": {"type": "integer"}, "count": {"type": "integer"}}}}
      }},
      "ReplayRest": {"type": "array", "items": {"type": "object", "required": ["partition", "from", "end"], "properties": {
        "partition": {"type": "integer"}, "from": {"type": "integer"}, "end": {"type": "integer"}}}},
      "Page": {"type": "object", "required": ["records", "next_offset", "end_offset"], "properties": {
        "records": {"type": "array", "items": {"type": "object"}}, "next_offset": {"type": "integer"}, "end_offset": {"type": "integer"}
      }}
    }
  }
}
)json";
}

}  // namespace tidemill
