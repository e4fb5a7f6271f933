#include <algorithm>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>
#include <simdjson.h>

#include "data/avro/avro_default.h"
#include "data/avro/avro_schema.h"
#include "data/errors.h"

namespace tidemill {
namespace {

using Json = simdjson::dom::element;

constexpr std::string_view kKindNames[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                           "string", "record",  "enum", "array", "map",   "union",  "fixed"};
constexpr std::string_view kLogicalNames[] = {"",
                                              "decimal",
                                              "uuid",
                                              "date",
                                              "time-millis",
                                              "time-micros",
                                              "timestamp-millis",
                                              "timestamp-micros",
                                              "timestamp-nanos",
                                              "local-timestamp-millis",
                                              "local-timestamp-micros",
                                              "local-timestamp-nanos",
                                              "duration"};
constexpr size_t kPrimitives = 8;

bool IsAvroName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsDottedName(std::string_view name) {
  for (;;) {
    const size_t dot = name.find('.');
    if (!IsAvroName(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

const AvroKind* FindPrimitive(std::string_view name) {
  static constexpr AvroKind kKinds[kPrimitives] = {AvroKind::kNull,  AvroKind::kBoolean, AvroKind::kInt,
                                                   AvroKind::kLong,  AvroKind::kFloat,   AvroKind::kDouble,
                                                   AvroKind::kBytes, AvroKind::kString};
  for (size_t i = 0; i < kPrimitives; ++i) {
    if (name == kKindNames[i]) return &kKinds[i];
  }
  return nullptr;
}

std::string_view NamespaceOf(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : full_name.substr(0, dot);
}

// The most digits that a signed number of so many bytes always holds.
int DigitsOfBytes(int64_t bytes) {
  return bytes > 1000 ? 2400 : static_cast<int>(static_cast<double>(8 * bytes - 1) * 0.30102999566398120);
}

int64_t IntegerMember(simdjson::dom::object from, std::string_view key, int64_t fallback) {
  int64_t value = 0;
  return from.at_key(key).get(value) == simdjson::SUCCESS ? value : fallback;
}

}  // namespace

// Parses texts one after another into one AvroSchema; named types are known to all that come later.
class AvroParser {
 public:
  Status ParseText(std::string_view text, bool is_reference) {
    if (text.size() > kAvroSchemaBytesMax) return Refuse("", "the schema is larger than 1 MiB");
    simdjson::dom::parser parser;
    if (parser.allocate(std::max<size_t>(text.size(), 64), 4 * kAvroDepthMax)) return Refuse("", "no memory for it");
    Json document;
    if (const auto error = parser.parse(text.data(), text.size()).get(document)) {
      return Refuse("", fmt::format("not JSON: {}", simdjson::error_message(error)));
    }
    pending_.clear();
    TM_ASSIGN_OR_RETURN(schema_->root_, ParseType(document, "", "", 0));
    // Only now, when all types are whole, can defaults be checked against them.
    for (const PendingDefault& pending : pending_) {
      AvroField& field = pending.record->fields[pending.field];
      const Status status = EncodeAvroDefault(*field.type, pending.value, kAvroDefaultBytesMax, field.default_bytes);
      if (!status.ok()) return Refuse(pending.path, status.message());
      default_bytes_ += field.default_bytes.size();
      if (default_bytes_ > kAvroDefaultBytesMax) return Refuse(pending.path, "the defaults are larger than 1 MiB");
    }
    if (is_reference) {
      schema_->referenced_.clear();
      for (const auto& [name, type] : named_) schema_->referenced_.push_back(type);
    }
    return Status::OK();
  }

  std::shared_ptr<const AvroSchema> Take() { return std::move(schema_); }

 private:
  struct PendingDefault {
    AvroType* record;
    size_t field;
    Json value;
    std::string path;
  };
  using Parsed = Result<const AvroType*>;

  static Status Refuse(std::string_view path, std::string_view message) {
    return Status(kInvalidSchema, path.empty() ? std::string(message) : fmt::format("{}: {}", path, message));
  }

  Result<AvroType*> NewType(AvroKind kind, std::string_view path) {
    if (schema_->types_.size() >= kAvroTypesMax) {
      return Refuse(path, fmt::format("the schema has more than {} types", kAvroTypesMax));
    }
    schema_->types_.push_back(std::make_unique<AvroType>());
    schema_->types_.back()->kind = kind;
    return schema_->types_.back().get();
  }

  Parsed ParseType(Json json, const std::string& space, const std::string& path, int depth) {
    if (depth > kAvroDepthMax) return Refuse(path, fmt::format("more than {} types in each other", kAvroDepthMax));
    if (json.is_string()) return ParseName(std::string_view(json), space, path);
    if (json.is_array()) return ParseUnion(json, space, path, depth);
    if (!json.is_object()) return Refuse(path, "a type is a name, an object or an array");
    const simdjson::dom::object object(json);
    Json type;
    if (object.at_key("type").get(type)) return Refuse(path, "the member 'type' is missing");
    if (!type.is_string()) return ParseType(type, space, path + "/type", depth + 1);
    const std::string_view name(type);
    if (name == "record" || name == "error") return ParseRecord(object, space, path, depth);
    if (name == "enum") return ParseEnum(object, space, path);
    if (name == "fixed") return ParseFixed(object, space, path);
    if (name == "array") return ParseElement(AvroKind::kArray, "items", object, space, path, depth);
    if (name == "map") return ParseElement(AvroKind::kMap, "values", object, space, path, depth);
    if (const AvroKind* primitive = FindPrimitive(name)) {
      TM_ASSIGN_OR_RETURN(AvroType * made, NewType(*primitive, path));
      ReadAttributes(object, {"type"}, *made);
      ReadLogical(object, *made);
      return made;
    }
    return ParseName(name, space, path + "/type");
  }

  Parsed ParseName(std::string_view name, const std::string& space, const std::string& path) {
    if (const AvroKind* primitive = FindPrimitive(name)) {
      const AvroType*& shared = primitives_[static_cast<size_t>(*primitive)];
      if (shared == nullptr) {
        TM_ASSIGN_OR_RETURN(shared, NewType(*primitive, path));
      }
      return shared;
    }
    auto found = named_.end();
    if (name.find('.') == std::string_view::npos && !space.empty())
      found = named_.find(space + "." + std::string(name));
    if (found == named_.end()) found = named_.find(std::string(name));
    if (found == named_.end()) return Refuse(path, fmt::format("no type is named '{}'", name.substr(0, 200)));
    return found->second;
  }

  Parsed ParseUnion(Json json, const std::string& space, const std::string& path, int depth) {
    TM_ASSIGN_OR_RETURN(AvroType * made, NewType(AvroKind::kUnion, path));
    std::unordered_map<std::string, bool> seen;
    size_t index = 0;
    for (const Json branch : simdjson::dom::array(json)) {
      const std::string place = fmt::format("{}/{}", path, index++);
      TM_ASSIGN_OR_RETURN(const AvroType* type, ParseType(branch, space, place, depth + 1));
      if (type->kind == AvroKind::kUnion) return Refuse(place, "a union directly in a union");
      const std::string key = type->named() ? type->name : std::string(AvroKindName(type->kind));
      if (!seen.emplace(key, true).second) return Refuse(place, fmt::format("'{}' is in the union twice", key));
      made->children.push_back(type);
    }
    if (made->children.empty()) return Refuse(path, "a union without a branch");
    return made;
  }

  Parsed ParseElement(AvroKind kind, std::string_view member, simdjson::dom::object object, const std::string& space,
                      const std::string& path, int depth) {
    Json element;
    if (object.at_key(member).get(element)) return Refuse(path, fmt::format("the member '{}' is missing", member));
    TM_ASSIGN_OR_RETURN(AvroType * made, NewType(kind, path));
    TM_ASSIGN_OR_RETURN(const AvroType* type, ParseType(element, space, fmt::format("{}/{}", path, member), depth + 1));
    made->children.push_back(type);
    ReadAttributes(object, {"type", member}, *made);
    return made;
  }

  // Name, aliases and doc of a record, enum or fixed; known by its name from here on.
  Result<AvroType*> BeginNamed(AvroKind kind, simdjson::dom::object object, const std::string& space,
                               const std::string& path) {
    TM_ASSIGN_OR_RETURN(AvroType * made, NewType(kind, path));
    std::string_view name;
    if (object.at_key("name").get(name)) return Refuse(path, "the member 'name' is missing or no string");
    if (!IsDottedName(name) || name.size() > kNameBytesMax) return Refuse(path + "/name", BadName(name));
    if (FindPrimitive(AvroSimpleName(name)) != nullptr)
      return Refuse(path + "/name", fmt::format("'{}' is the name of a primitive type", name));
    std::string own_space = space;
    Json given;
    if (object.at_key("namespace").get(given) == simdjson::SUCCESS && !given.is_null()) {
      if (!given.is_string()) return Refuse(path + "/namespace", "not a string");
      own_space = std::string_view(given);
      if (own_space.size() > kNameBytesMax || (!own_space.empty() && !IsDottedName(own_space)))
        return Refuse(path + "/namespace", BadName(own_space));
    }
    made->name = FullName(name, own_space);
    if (!named_.emplace(made->name, made).second)
      return Refuse(path, fmt::format("the type '{}' is defined twice", made->name));
    TM_RETURN_IF_ERROR(ReadAliases(object, path, [&](std::string_view alias) {
      made->aliases.push_back(FullName(alias, NamespaceOf(made->name)));
      return IsDottedName(alias);
    }));
    Json doc;
    if (object.at_key("doc").get(doc) == simdjson::SUCCESS) made->doc_text = SortedJson(doc);
    return made;
  }

  Parsed ParseRecord(simdjson::dom::object object, const std::string& space, const std::string& path, int depth) {
    TM_ASSIGN_OR_RETURN(AvroType * made, BeginNamed(AvroKind::kRecord, object, space, path));
    simdjson::dom::array fields;
    if (object.at_key("fields").get(fields)) return Refuse(path, "the member 'fields' is missing or no array");
    const std::string own_space(NamespaceOf(made->name));
    std::unordered_map<std::string, size_t> names;
    size_t index = 0;
    for (const Json field : fields) {
      const std::string place = fmt::format("{}/fields/{}", path, index++);
      TM_RETURN_IF_ERROR(ParseField(field, *made, own_space, place, depth));
      const std::string& name = made->fields.back().name;
      if (!names.emplace(name, index).second) return Refuse(place, fmt::format("the field '{}' is there twice", name));
    }
    ReadAttributes(object, {"type", "name", "namespace", "doc", "aliases", "fields"}, *made);
    return made;
  }

  Status ParseField(Json json, AvroType& record, const std::string& space, const std::string& path, int depth) {
    simdjson::dom::object object;
    if (json.get(object)) return Refuse(path, "a field is an object");
    AvroField field;
    std::string_view name;
    if (object.at_key("name").get(name)) return Refuse(path, "the member 'name' is missing or no string");
    if (!IsAvroName(name) || name.size() > kNameBytesMax) return Refuse(path + "/name", BadName(name));
    field.name = name;
    Json type;
    if (object.at_key("type").get(type)) return Refuse(path, fmt::format("the type of '{}' is missing", name));
    TM_ASSIGN_OR_RETURN(field.type, ParseType(type, space, path + "/type", depth + 1));
    TM_RETURN_IF_ERROR(ReadAliases(object, path, [&](std::string_view alias) {
      field.aliases.emplace_back(alias);
      return IsAvroName(alias);
    }));
    Json member;
    if (object.at_key("order").get(member) == simdjson::SUCCESS) {
      if (!member.is_string()) return Refuse(path + "/order", "not a string");
      field.order = std::string_view(member);
      if (field.order != "ascending" && field.order != "descending" && field.order != "ignore")
        return Refuse(path + "/order", "expected ascending, descending or ignore");
    }
    if (object.at_key("doc").get(member) == simdjson::SUCCESS) field.doc_text = SortedJson(member);
    if (object.at_key("default").get(member) == simdjson::SUCCESS) {
      field.default_text = SortedJson(member);
      pending_.push_back({&record, record.fields.size(), member, path + "/default"});
    }
    for (const auto attribute : object) {
      static constexpr std::string_view kKnown[] = {"name", "type", "aliases", "order", "doc", "default"};
      if (std::find(std::begin(kKnown), std::end(kKnown), attribute.key) == std::end(kKnown))
        field.attributes[std::string(attribute.key)] = SortedJson(attribute.value);
    }
    record.fields.push_back(std::move(field));
    return Status::OK();
  }

  Parsed ParseEnum(simdjson::dom::object object, const std::string& space, const std::string& path) {
    TM_ASSIGN_OR_RETURN(AvroType * made, BeginNamed(AvroKind::kEnum, object, space, path));
    simdjson::dom::array symbols;
    if (object.at_key("symbols").get(symbols)) return Refuse(path, "the member 'symbols' is missing or no array");
    std::unordered_map<std::string, bool> seen;
    for (const Json symbol : symbols) {
      std::string_view text;
      const std::string place = fmt::format("{}/symbols/{}", path, made->symbols.size());
      if (symbol.get(text)) return Refuse(place, "not a string");
      if (!IsAvroName(text)) return Refuse(place, BadName(text));
      if (!seen.emplace(text, true).second) return Refuse(place, fmt::format("the symbol '{}' is there twice", text));
      if (made->symbols.size() == kSymbolsMax) return Refuse(place, "more than 65,536 symbols");
      made->symbols.emplace_back(text);
    }
    Json fallback;
    if (object.at_key("default").get(fallback) == simdjson::SUCCESS) {
      if (!fallback.is_string() || seen.count(std::string(std::string_view(fallback))) == 0)
        return Refuse(path + "/default", fmt::format("{} is no symbol of '{}'", SortedJson(fallback), made->name));
      made->enum_default = std::string(std::string_view(fallback));
    }
    ReadAttributes(object, {"type", "name", "namespace", "doc", "aliases", "symbols", "default"}, *made);
    return made;
  }

  Parsed ParseFixed(simdjson::dom::object object, const std::string& space, const std::string& path) {
    TM_ASSIGN_OR_RETURN(AvroType * made, BeginNamed(AvroKind::kFixed, object, space, path));
    made->size = IntegerMember(object, "size", -1);
    if (made->size < 0 || made->size > kAvroFixedBytesMax)
      return Refuse(path, fmt::format("the member 'size' is no number from 0 to {}", kAvroFixedBytesMax));
    ReadAttributes(object, {"type", "name", "namespace", "doc", "aliases", "size"}, *made);
    ReadLogical(object, *made);
    return made;
  }

  template <typename Take>
  Status ReadAliases(simdjson::dom::object object, const std::string& path, Take take) {
    Json aliases;
    if (object.at_key("aliases").get(aliases) || aliases.is_null()) return Status::OK();
    if (!aliases.is_array()) return Refuse(path + "/aliases", "not an array");
    for (const Json alias : simdjson::dom::array(aliases)) {
      std::string_view text;
      if (alias.get(text)) return Refuse(path + "/aliases", "not an array of strings");
      if (!take(text)) return Refuse(path + "/aliases", BadName(text));
    }
    return Status::OK();
  }

  static void ReadAttributes(simdjson::dom::object object, std::initializer_list<std::string_view> known,
                             AvroType& type) {
    for (const auto member : object) {
      if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
      type.attributes[std::string(member.key)] = SortedJson(member.value);
    }
  }

  static void ReadLogical(simdjson::dom::object object, AvroType& type) {
    std::string_view name;
    if (object.at_key("logicalType").get(name)) return;
    const auto found = std::find(std::begin(kLogicalNames) + 1, std::end(kLogicalNames), name);
    if (found == std::end(kLogicalNames)) return;
    const auto logical = static_cast<AvroLogical>(found - std::begin(kLogicalNames));
    const AvroKind kind = type.kind;
    bool fits = false;
    switch (logical) {
      case AvroLogical::kNone:
        break;
      case AvroLogical::kDecimal: {
        const int64_t precision = IntegerMember(object, "precision", 0);
        const int64_t scale = IntegerMember(object, "scale", 0);
        fits = (kind == AvroKind::kBytes || (kind == AvroKind::kFixed && precision <= DigitsOfBytes(type.size))) &&
               precision > 0 && precision <= std::numeric_limits<int16_t>::max() && scale >= 0 && scale <= precision;
        if (fits) {
          type.precision = static_cast<int>(precision);
          type.scale = static_cast<int>(scale);
        }
        break;
      }
      case AvroLogical::kUuid:
        fits = kind == AvroKind::kString || (kind == AvroKind::kFixed && type.size == 16);
        break;
      case AvroLogical::kDuration:
        fits = kind == AvroKind::kFixed && type.size == 12;
        break;
      case AvroLogical::kDate:
      case AvroLogical::kTimeMillis:
        fits = kind == AvroKind::kInt;
        break;
      default:
        fits = kind == AvroKind::kLong;
    }
    if (fits) type.logical = logical;
  }

  static std::string FullName(std::string_view name, std::string_view space) {
    if (space.empty() || name.find('.') != std::string_view::npos) return std::string(name);
    return fmt::format("{}.{}", space, name);
  }
  static std::string BadName(std::string_view name) {
    return fmt::format("'{}' is no name: letters, digits and '_', no digit first", name.substr(0, 200));
  }

  static constexpr size_t kNameBytesMax = 1024;
  static constexpr size_t kSymbolsMax = 65'536;

  std::shared_ptr<AvroSchema> schema_ = std::make_shared<AvroSchema>();
  std::unordered_map<std::string, const AvroType*> named_;
  const AvroType* primitives_[kPrimitives] = {};
  std::vector<PendingDefault> pending_;
  size_t default_bytes_ = 0;
};

Result<std::shared_ptr<const AvroSchema>> AvroSchema::Parse(const ResolvedSchema& schema) {
  AvroParser parser;
  for (const ResolvedSchema::Part& part : schema.parts) {
    const Status status = parser.ParseText(part.text, true);
    if (!status.ok()) return status.WithContext(fmt::format("reference '{}'", part.name));
  }
  TM_RETURN_IF_ERROR(parser.ParseText(schema.text, false));
  return parser.Take();
}

std::string_view AvroKindName(AvroKind kind) { return kKindNames[static_cast<size_t>(kind)]; }
std::string_view AvroLogicalName(AvroLogical logical) { return kLogicalNames[static_cast<size_t>(logical)]; }

int64_t AvroUnitsPerSecond(AvroLogical logical) {
  switch (logical) {
    case AvroLogical::kTimestampMillis:
    case AvroLogical::kLocalTimestampMillis:
      return 1'000;
    case AvroLogical::kTimestampMicros:
    case AvroLogical::kLocalTimestampMicros:
      return 1'000'000;
    case AvroLogical::kTimestampNanos:
    case AvroLogical::kLocalTimestampNanos:
      return 1'000'000'000;
    default:
      return 0;
  }
}

std::string_view AvroSimpleName(std::string_view full_name) {
  const size_t dot = full_name.rfind('.');
  return dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
}

}  // namespace tidemill
