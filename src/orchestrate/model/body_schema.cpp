#include "orchestrate/model/body_schema.hpp"

#include <cstdlib>

#include "orchestrate/model/overlap.hpp"
#include "runtime/log.hpp"

namespace tributary::orchestrate {
namespace {

// With "OVERLAP" for the schema of that member.
constexpr std::string_view kBodySchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Pipeline",
  "type": "object",
  "required": ["name", "nodes"],
  "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 128},
    "description": {"type": "string", "maxLength": 4000, "default": ""},
    "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 256}, "default": {}},
    "enabled": {"type": "boolean", "default": false},
    "history": {"type": "string", "enum": ["off", "minimal", "standard", "full"], "default": "standard"},
    "overlap": OVERLAP,
    "priority": {"type": "string", "enum": ["low", "normal", "high"], "default": "normal"},
    "keepRuns": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100},
    "keepRunsFor": {"type": "string", "pattern": "^[1-9][0-9]{0,8}(ms|s|m|h|d)$", "default": "30d"},
    "nodes": {"type": "array", "minItems": 1, "maxItems": 500, "items": {
      "type": "object",
      "required": ["id", "type"],
      "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "type": {"type": "string", "minLength": 1},
        "title": {"type": "string", "maxLength": 128},
        "notes": {"type": "string", "maxLength": 4000},
        "pin": {},
        "position": {"type": "object", "required": ["x", "y"], "properties": {"x": {"type": "number"}, "y": {"type": "number"}}},
        "settings": {"type": "object", "additionalProperties": true, "default": {}},
        "onError": {"type": "string", "enum": ["stop", "continue", "errorPort"], "default": "stop"},
        "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 600000, "default": 10000},
        "retry": {
          "type": "object",
          "properties": {
            "maxAttempts": {"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
            "initialDelayMs": {"type": "integer", "minimum": 10, "maximum": 600000, "default": 500},
            "maxDelayMs": {"type": "integer", "minimum": 10, "maximum": 3600000, "default": 30000},
            "multiplier": {"type": "number", "minimum": 1, "maximum": 10, "default": 2}
          }
        },
        "delivery": {
          "type": "object",
          "required": ["mode"],
          "properties": {
            "mode": {"type": "string", "enum": ["best-effort", "durable"]},
            "retry": {
              "type": "object",
              "properties": {
                "maxAttempts": {"type": "integer", "minimum": 0, "maximum": 1000000, "default": 0},
                "initialDelayMs": {"type": "integer", "minimum": 10, "maximum": 600000, "default": 500},
                "maxDelayMs": {"type": "integer", "minimum": 10, "maximum": 3600000, "default": 30000}
              }
            },
            "deadLetterAfter": {"type": "string", "pattern": "^[1-9][0-9]{0,8}(ms|s|m|h|d)$", "default": "24h"},
            "repeatUnknown": {"type": "boolean"},
            "maxBytes": {"type": "integer", "minimum": 65536, "maximum": 1099511627776, "default": 268435456},
            "whenFull": {"type": "string", "enum": ["block", "dropOldest", "dropNewest"], "default": "block"},
            "batchSize": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 500},
            "order": {"type": "string", "enum": ["strict", "liveFirst"], "default": "strict"},
            "backfillPerSecond": {"type": "integer", "minimum": 0, "maximum": 1000000, "default": 0}
          }
        }
      }
    }},
    "edges": {"type": "array", "maxItems": 1000, "default": [], "items": {
      "type": "object",
      "required": ["from", "to"],
      "properties": {
        "from": {"type": "string"},
        "port": {"type": "string"},
        "to": {"type": "string"}
      }
    }}
  }
})";

}  // namespace

schema::Schema body_schema() {
  std::string text(kBodySchema);
  constexpr std::string_view kPlace = "OVERLAP";
  text.replace(text.find(kPlace), kPlace.size(), kOverlapSchema);
  auto document = parse_json(text);
  auto compiled = document ? schema::Schema::compile(*document)
                           : Result<schema::Schema>(fail(document.error()));
  if (!compiled) {
    log::error("orchestrate", compiled.error().message);
    std::abort();
  }
  return std::move(*compiled);
}

}  // namespace tributary::orchestrate
