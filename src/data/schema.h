#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_type.h"

namespace arrow {
class Schema;
}

namespace tidemill {

// The columns of a table, an operator's output, a state table: names (case-sensitive, unique) and types. Immutable once
// built.
class Schema {
 public:
  Schema() : Schema(std::vector<Field>{}) {}
  explicit Schema(std::vector<Field> fields);

  int num_fields() const { return static_cast<int>(fields_.size()); }
  const Field& field(int i) const { return fields_[i]; }
  const std::vector<Field>& fields() const { return fields_; }
  std::optional<int> IndexOf(std::string_view name) const;
  std::vector<std::string> names() const;
  const std::shared_ptr<arrow::Schema>& arrow() const { return arrow_; }
  // "(a INT, b STRING NOT NULL)".
  std::string ToString() const;
  bool operator==(const Schema& other) const { return fields_ == other.fields_; }

 private:
  std::vector<Field> fields_;
  std::shared_ptr<arrow::Schema> arrow_;
};

}  // namespace tidemill
