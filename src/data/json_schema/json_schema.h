#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/status.h"
#include "data/registered_schema.h"

namespace tidemill {

inline constexpr int kJsonSchemaDepthMax = 128;

// A JSON Schema (drafts 4, 6, 7, 2019-09, 2020-12) with the documents it refers to. Keywords are checked for their
// shape; one that is not known means nothing. `$ref` leads to a place in the document ("#", "#/$defs/x", an anchor), to
// an embedded or a referenced document by its `$id`, or to one by the name of its reference; beside `$ref` other
// keywords mean nothing, as in drafts up to 7. Immutable.
class JsonSchema {
 public:
  // kInvalidSchema with the place: no JSON, a keyword of the wrong shape, a reference that leads nowhere.
  static Result<std::unique_ptr<JsonSchema>> Parse(const ResolvedSchema& schema);
  ~JsonSchema();

  const nlohmann::json& root() const;
  // White space and the order of members removed.
  std::string CanonicalText() const;
  // Where a schema's `$ref`s lead in the end; the schema itself when it has none. References in a circle lead to the
  // empty schema.
  const nlohmann::json& Follow(const nlohmann::json& schema) const;

 private:
  class Reader;
  JsonSchema();
  std::vector<std::unique_ptr<nlohmann::json>> documents_;  // the last one is the schema itself
  std::map<const nlohmann::json*, const nlohmann::json*> targets_;
};

// Of the keywords that hold schemas, how: calls `visit(keyword path, schema)` for each direct subschema.
// Here for the parser and the comparison alike.
bool IsSchemaMap(std::string_view keyword);    // "properties": names to schemas
bool IsSchemaArray(std::string_view keyword);  // "allOf"
bool IsSchemaValue(std::string_view keyword);  // "not"

// A name as a part of a JSON pointer.
std::string PointerPart(std::string_view name);

// How deep brackets nest in a JSON text: to be looked at before anything is built from it. Bytes that are no JSON give
// some number.
int JsonNesting(std::string_view text);

}  // namespace tidemill
