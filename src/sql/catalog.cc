#include "sql/catalog.h"

#include <fmt/format.h>

#include "sql/errors.h"

namespace tidemill {
namespace {

template <typename Map>
std::vector<std::string> Keys(const Map& map) {
  std::vector<std::string> out;
  out.reserve(map.size());
  for (const auto& entry : map) out.push_back(entry.first);
  return out;
}

}  // namespace

Schema TableDefinition::schema() const {
  std::vector<Field> fields;
  fields.reserve(columns.size());
  for (const ColumnDefinition& column : columns) fields.push_back({column.name, column.type});
  return Schema(std::move(fields));
}

Schema TableDefinition::physical_schema() const {
  std::vector<Field> fields;
  for (const ColumnDefinition& column : columns) {
    if (column.kind == ColumnDefinition::Kind::kPhysical) fields.push_back({column.name, column.type});
  }
  return Schema(std::move(fields));
}

// Tables and views share one name space, as in Flink.
Status Catalog::AddTable(TablePtr table, bool if_not_exists) {
  if (tables_.contains(table->name) || views_.contains(table->name)) {
    if (if_not_exists) return Status::OK();
    return Status(kAlreadyExists,
                  fmt::format("{} '{}' already exists", tables_.contains(table->name) ? "table" : "view", table->name))
        .At(table->position);
  }
  tables_.emplace(table->name, table);
  return Status::OK();
}

Status Catalog::AddModel(ModelPtr model, bool if_not_exists) {
  if (models_.contains(model->name)) {
    if (if_not_exists) return Status::OK();
    return Status(kAlreadyExists, fmt::format("model '{}' already exists", model->name)).At(model->position);
  }
  models_.emplace(model->name, model);
  return Status::OK();
}

Status Catalog::AddView(std::string name, View view, bool if_not_exists) {
  if (tables_.contains(name) || views_.contains(name)) {
    if (if_not_exists) return Status::OK();
    return Status(kAlreadyExists,
                  fmt::format("{} '{}' already exists", tables_.contains(name) ? "table" : "view", name))
        .At(view.position);
  }
  views_.emplace(std::move(name), std::move(view));
  return Status::OK();
}

TablePtr Catalog::FindTable(std::string_view name) const {
  auto it = tables_.find(name);
  return it == tables_.end() ? nullptr : it->second;
}

ModelPtr Catalog::FindModel(std::string_view name) const {
  auto it = models_.find(name);
  return it == models_.end() ? nullptr : it->second;
}

const Catalog::View* Catalog::FindView(std::string_view name) const {
  auto it = views_.find(name);
  return it == views_.end() ? nullptr : &it->second;
}

Status Catalog::Drop(std::string_view kind, std::string_view name, bool if_exists) {
  auto drop = [&](auto& map, const ErrorCode& code, const char* what) -> Status {
    auto it = map.find(name);
    if (it != map.end()) {
      map.erase(it);
      return Status::OK();
    }
    if (if_exists) return Status::OK();
    Status status(code, fmt::format("{} '{}' not found", what, name));
    std::string nearest = NearestName(name, Keys(map));
    return nearest.empty() ? status : status.WithHint(fmt::format("did you mean '{}'?", nearest));
  };
  if (kind == "TABLE") return drop(tables_, kTableNotFound, "table");
  if (kind == "VIEW") return drop(views_, kTableNotFound, "view");
  if (kind == "MODEL") return drop(models_, kModelNotFound, "model");
  return Status(kUnsupportedSyntax, fmt::format("DROP {} is not supported", kind));
}

std::vector<std::string> Catalog::table_names() const { return Keys(tables_); }
std::vector<std::string> Catalog::view_names() const { return Keys(views_); }
std::vector<std::string> Catalog::model_names() const { return Keys(models_); }

}  // namespace tidemill
