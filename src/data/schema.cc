#include "data/schema.h"

#include <arrow/type.h>

namespace tidemill {

Schema::Schema(std::vector<Field> fields) : fields_(std::move(fields)) {
  std::vector<std::shared_ptr<arrow::Field>> arrow_fields;
  arrow_fields.reserve(fields_.size());
  for (const Field& field : fields_) {
    arrow_fields.push_back(arrow::field(field.name, ToArrow(field.type), field.type.nullable()));
  }
  arrow_ = arrow::schema(std::move(arrow_fields));
}

std::optional<int> Schema::IndexOf(std::string_view name) const {
  for (int i = 0; i < num_fields(); ++i) {
    if (fields_[i].name == name) return i;
  }
  return std::nullopt;
}

std::vector<std::string> Schema::names() const {
  std::vector<std::string> out;
  out.reserve(fields_.size());
  for (const Field& field : fields_) out.push_back(field.name);
  return out;
}

std::string Schema::ToString() const {
  std::string out = "(";
  for (const Field& field : fields_) {
    if (out.size() > 1) out += ", ";
    out += field.name + " " + field.type.ToString();
  }
  return out + ")";
}

}  // namespace tidemill
