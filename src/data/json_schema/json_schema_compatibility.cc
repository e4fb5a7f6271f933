#include "data/json_schema/json_schema_compatibility.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "base/errors.h"

namespace tidemill {
namespace {

using nlohmann::json;

constexpr int64_t kComparisonStepsMax = 200'000;
constexpr int kComparisonDepthMax = 256;
constexpr size_t kJsonConflictsMax = 100;

const json& TrueSchema() {
  static const json kSchema = true;
  return kSchema;
}

const json* FindIn(const json& schema, const char* keyword) {
  if (!schema.is_object()) return nullptr;
  const auto found = schema.find(keyword);
  return found == schema.end() ? nullptr : &*found;
}

// Takes everything: true, or nothing but words about it.
bool IsAnything(const json& schema) {
  if (schema.is_boolean()) return schema.get<bool>();
  static const std::set<std::string, std::less<>> kWords = {
      "$schema", "$id",      "id",       "$comment",  "$defs",      "definitions", "title", "description",
      "default", "examples", "readOnly", "writeOnly", "deprecated", "$anchor",     "format"};
  return std::all_of(schema.items().begin(), schema.items().end(),
                     [](const auto& item) { return kWords.contains(item.key()); });
}

bool IsNothing(const json& schema) { return schema.is_boolean() && !schema.get<bool>(); }

// oneOf or anyOf; nullptr when there is neither.
const json* SumOf(const json& schema) {
  const json* sum = FindIn(schema, "oneOf");
  return sum != nullptr ? sum : FindIn(schema, "anyOf");
}

std::string TypeOfValue(const json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    return std::abs(number) < 9e15 && number == static_cast<double>(static_cast<int64_t>(number)) ? "integer"
                                                                                                  : "number";
  }
  if (value.is_number()) return "integer";
  return value.type_name();  // null, boolean, object, array, string
}

std::set<json> EnumOf(const json& schema) {
  if (const json* constant = FindIn(schema, "const")) return {*constant};
  if (const json* list = FindIn(schema, "enum")) return {list->begin(), list->end()};
  return {};
}
bool HasEnum(const json& schema) { return FindIn(schema, "const") != nullptr || FindIn(schema, "enum") != nullptr; }

// Empty: every type.
std::set<std::string> TypesOf(const json& schema) {
  std::set<std::string> types;
  if (const json* type = FindIn(schema, "type")) {
    if (type->is_string()) types.insert(type->get<std::string>());
    if (type->is_array()) types.insert(type->begin(), type->end());
  } else if (HasEnum(schema)) {
    for (const json& value : EnumOf(schema)) types.insert(TypeOfValue(value));
  }
  return types;
}

bool TakesType(const std::set<std::string>& types, const std::string& type) {
  return types.empty() || types.contains(type) || (type == "integer" && types.contains("number"));
}

}  // namespace

// Compares pairs of schemas, by place; a pair that is being compared further up is taken to fit.
class JsonSchemaComparison {
 public:
  JsonSchemaComparison(const JsonSchema& reader, const JsonSchema& writer) : reader_(reader), writer_(writer) {}

  Result<std::vector<SchemaConflict>> Run() {
    std::vector<SchemaConflict> conflicts;
    Compare(reader_.root(), writer_.root(), "#", &conflicts);
    if (steps_ > kComparisonStepsMax)
      return Status(kLimitExceeded,
                    fmt::format("comparing the JSON Schemas takes more than {} steps", kComparisonStepsMax));
    if (conflicts.size() > kJsonConflictsMax) conflicts.resize(kJsonConflictsMax);
    return conflicts;
  }

 private:
  using Out = std::vector<SchemaConflict>;
  enum class Known : uint8_t { kRunning, kFits, kConflicts };

  static void Report(Out* out, std::string kind, const std::string& path, std::string message) {
    if (out->size() < kJsonConflictsMax) out->push_back({std::move(kind), path, std::move(message)});
  }

  // Whether the reader's schema takes all that the writer's allows; without telling why not.
  bool Fits(const json& reader_schema, const json& writer_schema) {
    const json& reader = reader_.Follow(reader_schema);
    const json& writer = writer_.Follow(writer_schema);
    if (++steps_ > kComparisonStepsMax) return true;
    const auto [entry, is_new] = known_.try_emplace({&reader, &writer}, Known::kRunning);
    if (!is_new) return entry->second != Known::kConflicts;
    Out conflicts;
    CompareFollowed(reader, writer, "", &conflicts);
    known_[{&reader, &writer}] = conflicts.empty() ? Known::kFits : Known::kConflicts;
    return conflicts.empty();
  }

  void Compare(const json& reader_schema, const json& writer_schema, const std::string& path, Out* out) {
    const json& reader = reader_.Follow(reader_schema);
    const json& writer = writer_.Follow(writer_schema);
    if (!running_.insert({&reader, &writer}).second) return;
    CompareFollowed(reader, writer, path, out);
    running_.erase({&reader, &writer});
  }

  void CompareFollowed(const json& reader, const json& writer, const std::string& path, Out* out) {
    if (depth_ >= kComparisonDepthMax) steps_ = kComparisonStepsMax;  // ends it
    if (++steps_ > kComparisonStepsMax || IsNothing(writer) || IsAnything(reader)) return;
    ++depth_;
    CompareKeywords(reader, writer, path, out);
    --depth_;
  }

  void CompareKeywords(const json& reader, const json& writer, const std::string& path, Out* out) {
    if (IsNothing(reader)) return Report(out, "TYPE_CHANGED", path, "the reader takes nothing here");
    if (CompareSums(reader, writer, path, out)) return;
    if (CompareProducts(reader, writer, path, out)) return;
    if (const json* forbidden = FindIn(reader, "not")) {
      const json* before = FindIn(writer, "not");
      if (before == nullptr || !FitsForbidden(*before, *forbidden))
        Report(out, "NOT_TYPE_EXTENDED", path + "/not", "the reader forbids more than the writer");
    }
    for (const char* keyword :
         {"if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems"}) {
      const json* condition = FindIn(reader, keyword);
      const json* before = FindIn(writer, keyword);
      if (condition != nullptr && !IsAnything(*condition) && (before == nullptr || *before != *condition))
        Report(out, "CONDITION_CHANGED", path + "/" + keyword,
               fmt::format("'{}' of the reader is not that of the writer", keyword));
    }
    if (!CompareTypes(reader, writer, path, out)) return;
    CompareBounds(reader, writer, path, out);
    const std::set<std::string> types = TypesOf(writer);
    if (TakesType(types, "array")) CompareItems(reader, writer, path, out);
    if (TakesType(types, "object")) CompareObjects(reader, writer, path, out);
  }

  // `not` turns the direction round: what the reader forbids, the writer must have forbidden. The schemas change sides,
  // so references are followed where they belong.
  bool FitsForbidden(const json& writer_not, const json& reader_not) {
    if (writer_not == reader_not) return true;
    JsonSchemaComparison turned(writer_, reader_);
    turned.steps_ = steps_;
    turned.depth_ = depth_;
    Out conflicts;
    turned.Compare(writer_not, reader_not, "", &conflicts);
    steps_ = turned.steps_;
    return conflicts.empty();
  }

  // oneOf and anyOf. True: all there is to say was said.
  bool CompareSums(const json& reader, const json& writer, const std::string& path, Out* out) {
    const json* wide = SumOf(reader);
    const json* narrow = SumOf(writer);
    if (narrow != nullptr && wide != nullptr) {
      for (size_t i = 0; i < narrow->size(); ++i) {
        const json& branch = (*narrow)[i];
        if (std::any_of(wide->begin(), wide->end(), [&](const json& other) { return Fits(other, branch); })) continue;
        Report(out, wide->size() < narrow->size() ? "SUM_TYPE_NARROWED" : "COMBINED_TYPE_SUBSCHEMAS_CHANGED", path,
               fmt::format("no alternative of the reader takes the writer's alternative {}", i));
      }
      return false;
    }
    if (narrow != nullptr) {
      if (std::all_of(narrow->begin(), narrow->end(), [&](const json& branch) { return Fits(reader, branch); }))
        return true;
      if (TypesOf(writer).empty() && FindIn(writer, "properties") == nullptr) {
        Report(out, "COMBINED_TYPE_CHANGED", path, "the reader does not take every alternative of the writer");
        return true;
      }
      return false;
    }
    if (wide != nullptr &&
        std::none_of(wide->begin(), wide->end(), [&](const json& other) { return Fits(other, writer); })) {
      Report(out, "TYPE_CHANGED", path, "no alternative of the reader takes what the writer writes");
      return true;
    }
    return false;
  }

  // allOf. True: all there is to say was said.
  bool CompareProducts(const json& reader, const json& writer, const std::string& path, Out* out) {
    const json* demands = FindIn(reader, "allOf");
    const json* given = FindIn(writer, "allOf");
    if (demands != nullptr) {
      for (size_t i = 0; i < demands->size(); ++i) {
        const json& demand = (*demands)[i];
        const auto meets = [&](const json& one) { return Fits(demand, one); };
        if (given != nullptr ? std::any_of(given->begin(), given->end(), meets) : meets(writer)) continue;
        const bool more = given == nullptr || demands->size() > given->size();
        Report(out, more ? "PRODUCT_TYPE_EXTENDED" : "COMBINED_TYPE_SUBSCHEMAS_CHANGED", path,
               fmt::format("nothing of the writer fits to part {} of the reader's allOf", i));
      }
      return false;
    }
    if (given == nullptr) return false;
    if (std::any_of(given->begin(), given->end(), [&](const json& one) { return Fits(reader, one); })) return true;
    if (TypesOf(writer).empty() && FindIn(writer, "properties") == nullptr) {
      Report(out, "COMBINED_TYPE_CHANGED", path, "the reader takes no part of the writer's allOf");
      return true;
    }
    return false;
  }

  // False: nothing further is worth comparing.
  static bool CompareTypes(const json& reader, const json& writer, const std::string& path, Out* out) {
    const std::set<std::string> takes = TypesOf(reader);
    const std::set<std::string> writes = TypesOf(writer);
    if (HasEnum(reader)) {
      const std::set<json> values = EnumOf(reader);
      const std::set<json> before = EnumOf(writer);
      const auto is_in = [](const std::set<json>& list, const json& value) { return list.contains(value); };
      if (!HasEnum(writer)) {
        Report(out, "TYPE_NARROWED", path + "/enum", "the reader takes only certain values, the writer writes any");
        return false;
      }
      if (!std::all_of(before.begin(), before.end(), [&](const json& value) { return is_in(values, value); })) {
        const bool is_subset =
            std::all_of(values.begin(), values.end(), [&](const json& value) { return is_in(before, value); });
        Report(out, is_subset ? "ENUM_ARRAY_NARROWED" : "ENUM_ARRAY_CHANGED", path + "/enum",
               "the reader does not take every value that the writer writes");
      }
    }
    if (takes.empty()) return true;
    if (writes.empty()) {
      Report(out, "TYPE_NARROWED", path + "/type", "the reader takes only certain types, the writer writes any");
      return false;
    }
    const auto taken =
        std::count_if(writes.begin(), writes.end(), [&](const std::string& type) { return TakesType(takes, type); });
    if (taken == static_cast<int64_t>(writes.size())) return true;
    const bool narrowed = taken > 0 || (writes.contains("number") && takes.contains("integer"));
    Report(out, narrowed ? "TYPE_NARROWED" : "TYPE_CHANGED", path + "/type",
           fmt::format("the writer's type {} is not among the reader's {}", fmt::join(writes, ", "),
                       fmt::join(takes, ", ")));
    return narrowed;
  }

  static std::optional<double> NumberIn(const json& schema, const char* keyword) {
    const json* value = FindIn(schema, keyword);
    return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
  }

  static void CompareBounds(const json& reader, const json& writer, const std::string& path, Out* out) {
    struct Bound {
      const char* keyword;
      const char* kind;
      const char* type;
      bool is_upper;
    };
    static constexpr Bound kBounds[] = {
        {"maxLength", "MAX_LENGTH", "string", true},
        {"minLength", "MIN_LENGTH", "string", false},
        {"maximum", "MAXIMUM", "number", true},
        {"minimum", "MINIMUM", "number", false},
        {"exclusiveMaximum", "EXCLUSIVE_MAXIMUM", "number", true},
        {"exclusiveMinimum", "EXCLUSIVE_MINIMUM", "number", false},
        {"maxItems", "MAX_ITEMS", "array", true},
        {"minItems", "MIN_ITEMS", "array", false},
        {"maxProperties", "MAX_PROPERTIES", "object", true},
        {"minProperties", "MIN_PROPERTIES", "object", false},
    };
    const std::set<std::string> writes = TypesOf(writer);
    const auto writes_type = [&](const char* type) {
      return TakesType(writes, type) || (std::string_view(type) == "number" && writes.contains("integer"));
    };
    for (const Bound& bound : kBounds) {
      const auto now = NumberIn(reader, bound.keyword);
      if (!now || !writes_type(bound.type)) continue;
      const auto before = NumberIn(writer, bound.keyword);
      if (!before && !bound.is_upper && *now <= 0 && std::string_view(bound.type) != "number") continue;
      if (before && (bound.is_upper ? *now >= *before : *now <= *before)) continue;
      Report(out,
             fmt::format("{}_{}", bound.kind,
                         !before          ? "ADDED"
                         : bound.is_upper ? "DECREASED"
                                          : "INCREASED"),
             path + "/" + bound.keyword,
             before ? fmt::format("the reader's {} is {}, the writer's {}", bound.keyword, *now, *before)
                    : fmt::format("the reader has {} {}, the writer none", bound.keyword, *now));
    }
    for (const char* keyword : {"exclusiveMaximum", "exclusiveMinimum"}) {  // draft 4: of `maximum`
      const json* flag = FindIn(reader, keyword);
      const json* before = FindIn(writer, keyword);
      if (flag != nullptr && *flag == true && (before == nullptr || *before == false) && writes_type("number"))
        Report(out, std::string(keyword) == "exclusiveMaximum" ? "EXCLUSIVE_MAXIMUM_ADDED" : "EXCLUSIVE_MINIMUM_ADDED",
               path + "/" + keyword, "the reader leaves out the bound itself");
    }
    if (const auto now = NumberIn(reader, "multipleOf"); now && writes_type("number")) {
      const auto before = NumberIn(writer, "multipleOf");
      const double times = before ? *before / *now : 0;
      if (!before || std::abs(times - std::round(times)) > 1e-9 || times < 0.5)
        Report(out, !before ? "MULTIPLE_OF_ADDED" : "MULTIPLE_OF_CHANGED", path + "/multipleOf",
               "the writer writes what is no multiple of the reader's number");
    }
    const json* pattern = FindIn(reader, "pattern");
    const json* pattern_before = FindIn(writer, "pattern");
    if (pattern != nullptr && writes_type("string") && (pattern_before == nullptr || *pattern_before != *pattern))
      Report(out, pattern_before == nullptr ? "PATTERN_ADDED" : "PATTERN_CHANGED", path + "/pattern",
             "the reader demands a pattern that the writer does not");
    const json* unique = FindIn(reader, "uniqueItems");
    const json* unique_before = FindIn(writer, "uniqueItems");
    if (unique != nullptr && *unique == true && (unique_before == nullptr || *unique_before == false) &&
        writes_type("array"))
      Report(out, "UNIQUE_ITEMS_ADDED", path + "/uniqueItems", "the reader demands that items differ");
  }

  // ---- Arrays

  static const json* TupleOf(const json& schema) {
    const json* items = FindIn(schema, "items");
    return items != nullptr && items->is_array() ? items : FindIn(schema, "prefixItems");
  }
  // Of items behind the tuple.
  static const json& RestOf(const json& schema) {
    const json* items = FindIn(schema, "items");
    if (items != nullptr && !items->is_array()) return *items;
    const json* rest = FindIn(schema, "additionalItems");
    return items != nullptr && rest != nullptr ? *rest : TrueSchema();
  }

  void CompareItems(const json& reader, const json& writer, const std::string& path, Out* out) {
    const json* tuple = TupleOf(reader);
    const json* tuple_before = TupleOf(writer);
    const size_t size = tuple == nullptr ? 0 : tuple->size();
    const size_t size_before = tuple_before == nullptr ? 0 : tuple_before->size();
    const json& rest = RestOf(reader);
    const json& rest_before = RestOf(writer);
    for (size_t i = 0; i < std::max(size, size_before); ++i) {
      const std::string place = fmt::format("{}/items/{}", path, i);
      if (i < size && i < size_before) {
        Compare((*tuple)[i], (*tuple_before)[i], place, out);
      } else if (i < size) {
        if (!Fits((*tuple)[i], rest_before))
          Report(out,
                 IsAnything(rest_before) ? "ITEM_ADDED_TO_OPEN_CONTENT_MODEL"
                                         : "ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
                 place, "the writer may have written another type at this place");
      } else if (!Fits(rest, (*tuple_before)[i])) {
        Report(out,
               IsNothing(rest) ? "ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL"
                               : "ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
               place, "the reader does not take this item of the writer");
      }
    }
    if (size == 0 && size_before == 0) return Compare(rest, rest_before, path + "/items", out);
    if (Fits(rest, rest_before)) return;
    Report(out, IsNothing(rest) ? "ADDITIONAL_ITEMS_REMOVED" : "ADDITIONAL_ITEMS_NARROWED", path + "/additionalItems",
           "the reader does not take all further items of the writer");
  }

  void CompareObjects(const json& reader, const json& writer, const std::string& path, Out* out);
  void CompareRequired(const json& reader, const json& writer, const std::string& path, Out* out);
  void CompareAddedProperty(const std::string& name, const json& property, const json& reader, const json& writer,
                            const std::string& path, Out* out);
  void CompareRemovedProperty(const std::string& name, const json& property, const json& reader,
                              const std::string& path, Out* out);
  static void CompareDependencies(const json& reader, const json& writer, const std::string& path, Out* out);

  static const json& MemberOr(const json& schema, const char* keyword, const json& fallback) {
    const json* found = FindIn(schema, keyword);
    return found == nullptr ? fallback : *found;
  }
  static const json& NoMembers() {
    static const json kNone = json::object();
    return kNone;
  }
  bool Requires(const json& schema, const std::string& name) {
    const json* required = FindIn(schema, "required");
    if (required != nullptr) steps_ += static_cast<int64_t>(required->size()) / 64;
    return required != nullptr && required->is_array() &&
           std::find(required->begin(), required->end(), name) != required->end();
  }
  // The schema of a property that is not named: that of a pattern, or of all others.
  const json& CoverOf(const json& schema, const std::string& name) {
    for (const auto& [pattern, property] : MemberOr(schema, "patternProperties", NoMembers()).items()) {
      if (++steps_ > kComparisonStepsMax) break;
      if (MatchesPattern(pattern, name)) return property;
    }
    return MemberOr(schema, "additionalProperties", TrueSchema());
  }

  // What RE2 can't read matches nothing.
  bool MatchesPattern(const std::string& pattern, const std::string& text) {
    std::unique_ptr<RE2>& expression = patterns_[pattern];
    if (expression == nullptr) {
      RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(1 << 20);
      expression = std::make_unique<RE2>(pattern, options);
    }
    return expression->ok() && RE2::PartialMatch(text, *expression);
  }

  const JsonSchema& reader_;
  const JsonSchema& writer_;
  std::map<std::pair<const json*, const json*>, Known> known_;
  std::set<std::pair<const json*, const json*>> running_;
  std::map<std::string, std::unique_ptr<RE2>> patterns_;
  int64_t steps_ = 0;
  int depth_ = 0;
};

void JsonSchemaComparison::CompareObjects(const json& reader, const json& writer, const std::string& path, Out* out) {
  const json& properties = MemberOr(reader, "properties", NoMembers());
  const json& properties_before = MemberOr(writer, "properties", NoMembers());
  for (const auto& [name, property] : properties.items()) {
    const std::string place = path + "/properties/" + PointerPart(name);
    const auto before = properties_before.find(name);
    if (before != properties_before.end()) {
      Compare(property, *before, place, out);
    } else {
      CompareAddedProperty(name, property, reader, writer, place, out);
    }
  }
  for (const auto& [name, property] : properties_before.items()) {
    if (!properties.contains(name))
      CompareRemovedProperty(name, property, reader, path + "/properties/" + PointerPart(name), out);
  }
  const json& patterns = MemberOr(reader, "patternProperties", NoMembers());
  const json& patterns_before = MemberOr(writer, "patternProperties", NoMembers());
  const json& rest = MemberOr(reader, "additionalProperties", TrueSchema());
  const json& rest_before = MemberOr(writer, "additionalProperties", TrueSchema());
  for (const auto& [pattern, property] : patterns.items()) {
    const std::string place = path + "/patternProperties/" + PointerPart(pattern);
    const auto before = patterns_before.find(pattern);
    if (before != patterns_before.end()) {
      Compare(property, *before, place, out);
    } else if (!Fits(property, rest_before)) {
      Report(out, "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", place,
             "the writer may have written such properties with another type");
    }
  }
  for (const auto& [pattern, property] : patterns_before.items()) {
    if (!patterns.contains(pattern) && !Fits(rest, property))
      Report(out, "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", path + "/patternProperties/" + PointerPart(pattern),
             "the reader does not take such properties");
  }
  if (!Fits(rest, rest_before))
    Report(out, IsNothing(rest) ? "ADDITIONAL_PROPERTIES_REMOVED" : "ADDITIONAL_PROPERTIES_NARROWED",
           path + "/additionalProperties", "the reader does not take all further properties of the writer");
  CompareRequired(reader, writer, path, out);
  CompareDependencies(reader, writer, path, out);
}

void JsonSchemaComparison::CompareAddedProperty(const std::string& name, const json& property, const json& reader,
                                                const json& writer, const std::string& path, Out* out) {
  const json& cover = CoverOf(writer, name);
  if (IsNothing(cover)) {
    if (Requires(reader, name) && FindIn(reader_.Follow(property), "default") == nullptr)
      Report(out, "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", path,
             "the reader requires a property without a default that the writer does not write");
    return;
  }
  if (Fits(property, cover)) return;
  Report(out,
         IsAnything(writer_.Follow(cover)) ? "PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL"
                                           : "PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
         path, fmt::format("the writer may have written '{}' with another type", name));
}

void JsonSchemaComparison::CompareRemovedProperty(const std::string& name, const json& property, const json& reader,
                                                  const std::string& path, Out* out) {
  const json& cover = CoverOf(reader, name);
  if (Fits(cover, property)) return;
  Report(out,
         IsNothing(cover) ? "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL"
                          : "PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL",
         path, fmt::format("the reader does not take the property '{}'", name));
}

void JsonSchemaComparison::CompareRequired(const json& reader, const json& writer, const std::string& path, Out* out) {
  const json* required = FindIn(reader, "required");
  if (required == nullptr || !required->is_array()) return;
  const json& properties = MemberOr(reader, "properties", NoMembers());
  const json& properties_before = MemberOr(writer, "properties", NoMembers());
  std::set<std::string> required_before;
  if (const json* list = FindIn(writer, "required"); list != nullptr && list->is_array())
    required_before.insert(list->begin(), list->end());
  for (const json& item : *required) {
    const std::string& name = item.get_ref<const std::string&>();
    if (required_before.contains(name)) continue;
    const auto property = properties.find(name);
    if (property != properties.end() && FindIn(reader_.Follow(*property), "default") != nullptr) continue;
    // Of properties that are new to a closed writer more was said before.
    if (!properties_before.contains(name) && properties.contains(name) && IsNothing(CoverOf(writer, name))) continue;
    Report(out, "REQUIRED_ATTRIBUTE_ADDED", path + "/required/" + PointerPart(name),
           fmt::format("the reader requires '{}', the writer may leave it out", name));
  }
}

void JsonSchemaComparison::CompareDependencies(const json& reader, const json& writer, const std::string& path,
                                               Out* out) {
  for (const char* keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
    const json& before = MemberOr(writer, keyword, NoMembers());
    for (const auto& [name, demand] : MemberOr(reader, keyword, NoMembers()).items()) {
      const auto found = before.find(name);
      const std::string place = fmt::format("{}/{}/{}", path, keyword, PointerPart(name));
      if (found == before.end()) {
        Report(out, demand.is_array() ? "DEPENDENCY_ARRAY_ADDED" : "DEPENDENCY_SCHEMA_ADDED", place,
               "the reader demands more beside this property");
      } else if (demand.is_array() && found->is_array()) {
        const std::set<json> given(found->begin(), found->end());
        if (!std::all_of(demand.begin(), demand.end(), [&](const json& one) { return given.contains(one); }))
          Report(out, "DEPENDENCY_ARRAY_EXTENDED", place, "the reader demands more beside this property");
      } else if (demand != *found) {
        Report(out, "DEPENDENCY_SCHEMA_CHANGED", place, "the reader demands another thing beside this property");
      }
    }
  }
}

Result<std::vector<SchemaConflict>> FindJsonSchemaConflicts(const JsonSchema& reader, const JsonSchema& writer) {
  return JsonSchemaComparison(reader, writer).Run();
}

}  // namespace tidemill
