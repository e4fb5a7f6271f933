#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/api.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/tests/arrays.h"

namespace tidemill {

// Keeps schemas in the order they come: one version after another, no rules.
class ListedSchemas final : public SchemaSource {
 public:
  Result<ResolvedSchema> SchemaById(int32_t id) override {
    ++lookups;
    if (!failure.ok()) return failure;
    if (id < 1 || id > static_cast<int32_t>(schemas.size())) return Status(kSchemaNotFound, "no such id");
    return schemas[static_cast<size_t>(id - 1)];
  }
  Result<int32_t> Register(const std::string& subject, const SchemaDefinition& schema) override {
    schemas.push_back({schema.language, schema.text, {}});
    latest[subject] = static_cast<int32_t>(schemas.size());
    return latest[subject];
  }
  Result<std::optional<Latest>> LatestOf(const std::string& subject) override {
    if (latest.count(subject) == 0) return std::optional<Latest>();
    return std::optional<Latest>({latest[subject], 1, schemas[static_cast<size_t>(latest[subject] - 1)]});
  }
  int32_t Add(const std::string& subject, std::string text, SchemaLanguage language = SchemaLanguage::kAvro) {
    return *Register(subject, {language, std::move(text), {}});
  }

  std::vector<ResolvedSchema> schemas;
  std::map<std::string, int32_t> latest;
  Status failure;
  int lookups = 0;
};

inline FormatContext ContextOf(const std::shared_ptr<ListedSchemas>& schemas) {
  return {schemas, "orders", false, nullptr};
}

inline std::string WithId(int32_t id, std::string body) {
  return std::string("\0\0\0\0", 4) + static_cast<char>(id) + std::move(body);
}

inline Batch BatchOf(const Schema& schema, const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); ++i)
    arrays.push_back(ArrayOf(schema.arrow()->field(static_cast<int>(i))->type(), columns[i]));
  const int64_t rows = arrays.empty() ? 0 : arrays[0]->length();
  return {arrow::RecordBatch::Make(schema.arrow(), rows, std::move(arrays)), nullptr, 0};
}

inline std::vector<EncodedRow> RowsOf(const std::string& bytes, const std::vector<size_t>& ends) {
  std::vector<EncodedRow> rows;
  size_t begin = 0;
  for (size_t end : ends) {
    rows.push_back({std::string_view(bytes).substr(begin, end - begin), static_cast<int64_t>(rows.size())});
    begin = end;
  }
  return rows;
}

}  // namespace tidemill
