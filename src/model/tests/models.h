#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "base/file_system.h"
#include "sql/catalog.h"

namespace tidemill {

// Path of a model file of the tests, from the repository's root.
inline std::string ModelFile(const std::string& name) { return "src/model/tests/data/" + name; }

inline ModelDefinition ModelOf(const std::string& file, std::vector<Field> input, std::vector<Field> output,
                               std::map<std::string, std::string> options = {}) {
  ModelDefinition definition;
  definition.name = "m";
  definition.input = Schema(std::move(input));
  definition.output = Schema(std::move(output));
  options.try_emplace("provider", "onnx");
  options.try_emplace("path", ModelFile(file));
  int line = 10;
  for (const auto& [key, value] : options) definition.option_positions[key] = SourcePosition{"m.sql", line++, 3};
  definition.options = Config(std::move(options));
  definition.position = SourcePosition{"m.sql", 1, 1};
  return definition;
}

// An array from JSON text as Arrow reads it.
inline std::shared_ptr<arrow::Array> Column(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}
inline bool Holds(const arrow::Array& array, std::string_view json) {
  return array.Equals(*Column(array.type(), json));
}

inline Field DoubleField(const std::string& name) { return {name, DataType(TypeKind::kDouble)}; }
inline Field StringField(const std::string& name) { return {name, DataType(TypeKind::kString)}; }
inline Field BigIntField(const std::string& name) { return {name, DataType(TypeKind::kBigInt)}; }

}  // namespace tidemill
