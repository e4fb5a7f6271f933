#include "data/json_schema/json_schema.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "data/errors.h"

namespace tidemill {
namespace {

using nlohmann::json;

constexpr std::string_view kMapKeywords[] = {"properties", "patternProperties", "$defs", "definitions",
                                             "dependentSchemas"};
constexpr std::string_view kArrayKeywords[] = {"allOf", "anyOf", "oneOf", "prefixItems"};
constexpr std::string_view kValueKeywords[] = {
    "additionalProperties",  "additionalItems", "contains", "propertyNames", "not", "if", "then", "else",
    "unevaluatedProperties", "unevaluatedItems"};
constexpr std::string_view kCountKeywords[] = {"maxLength", "minLength",     "maxItems",
                                               "minItems",  "maxProperties", "minProperties"};
constexpr std::string_view kNumberKeywords[] = {"maximum", "minimum", "multipleOf"};
constexpr std::string_view kTypes[] = {"null", "boolean", "object", "array", "number", "integer", "string"};

template <size_t size>
bool Has(const std::string_view (&names)[size], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

Status SchemaFault(const std::string& path, std::string_view what) {
  return Status(kInvalidSchema, fmt::format("JSON Schema, at {}: {}", path, what));
}

Result<std::unique_ptr<json>> ParseDocument(const std::string& name, const std::string& text) {
  if (JsonNesting(text) > kJsonSchemaDepthMax)
    return Status(kInvalidSchema, fmt::format("JSON Schema{}: nested deeper than {}", name, kJsonSchemaDepthMax));
  auto document = std::make_unique<json>();
  try {
    *document = json::parse(text);
  } catch (const json::exception& error) {
    return Status(kInvalidSchema, fmt::format("JSON Schema{}: {}", name, error.what()));
  }
  if (!document->is_object() && !document->is_boolean())
    return Status(kInvalidSchema, fmt::format("JSON Schema{}: it is neither an object nor true or false", name));
  return document;
}

const json& Anything() {
  static const json kSchema = true;
  return kSchema;
}

std::string WithoutHash(std::string uri) {
  while (!uri.empty() && uri.back() == '#') uri.pop_back();
  return uri;
}

// `reference` seen from a document at `base`: beside it, unless it is a whole URI.
std::string UriFrom(const std::string& base, const std::string& reference) {
  if (reference.find("://") != std::string::npos || reference.starts_with("urn:")) return reference;
  const size_t scheme = base.find("://");
  if (scheme == std::string::npos) return reference;
  if (reference.starts_with('/')) return base.substr(0, base.find('/', scheme + 3)) + reference;
  const size_t slash = base.rfind('/');
  return slash <= scheme + 2 ? base + "/" + reference : base.substr(0, slash + 1) + reference;
}

bool IsWholeNumber(const json& value) {
  return value.is_number_unsigned() || (value.is_number_integer() && value.get<int64_t>() >= 0) ||
         (value.is_number_float() && value.get<double>() >= 0 &&
          value.get<double>() == static_cast<double>(static_cast<int64_t>(std::min(value.get<double>(), 9e15))));
}

Status CheckStrings(const json& value, const std::string& path) {
  if (!value.is_array()) return SchemaFault(path, "not an array");
  for (const json& item : value) {
    if (!item.is_string()) return SchemaFault(path, "not an array of strings");
  }
  return Status::OK();
}

// Of a keyword that holds no schema.
Status CheckKeyword(const std::string& keyword, const json& value, const std::string& path) {
  if (keyword == "type") {
    const auto known = [](const json& name) {
      return name.is_string() && Has(kTypes, name.get_ref<const std::string&>());
    };
    if (value.is_array() ? value.empty() || !std::all_of(value.begin(), value.end(), known) : !known(value))
      return SchemaFault(path, "not a type: null, boolean, object, array, number, integer, string");
  } else if (keyword == "required") {
    if (!value.is_boolean()) return CheckStrings(value, path);  // draft 3 had it in the property
  } else if (keyword == "enum") {
    if (!value.is_array()) return SchemaFault(path, "not an array");
  } else if (keyword == "pattern" || keyword == "$ref" || keyword == "$id" || keyword == "$anchor" ||
             keyword == "format") {
    if (!value.is_string()) return SchemaFault(path, "not a string");
  } else if (Has(kCountKeywords, keyword)) {
    if (!IsWholeNumber(value)) return SchemaFault(path, "not a number from 0 on without a fraction");
  } else if (Has(kNumberKeywords, keyword)) {
    if (!value.is_number()) return SchemaFault(path, "not a number");
    if (keyword == "multipleOf" && value.get<double>() <= 0) return SchemaFault(path, "not above 0");
  } else if (keyword == "exclusiveMaximum" || keyword == "exclusiveMinimum") {
    if (!value.is_number() && !value.is_boolean()) return SchemaFault(path, "neither a number nor true or false");
  } else if (keyword == "uniqueItems") {
    if (!value.is_boolean()) return SchemaFault(path, "neither true nor false");
  } else if (keyword == "dependentRequired") {
    if (!value.is_object()) return SchemaFault(path, "not an object");
    for (const auto& [name, list] : value.items())
      TM_RETURN_IF_ERROR(CheckStrings(list, path + "/" + PointerPart(name)));
  }
  return Status::OK();
}

}  // namespace

int JsonNesting(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

bool IsSchemaMap(std::string_view keyword) { return Has(kMapKeywords, keyword); }
bool IsSchemaArray(std::string_view keyword) { return Has(kArrayKeywords, keyword); }
bool IsSchemaValue(std::string_view keyword) { return Has(kValueKeywords, keyword); }

std::string PointerPart(std::string_view name) {
  std::string out;
  for (const char c : name) c == '~' ? out += "~0" : c == '/' ? out += "~1" : out += c;
  return out;
}

// Checks every schema of every document, notes what can be referred to, then finds where references lead.
class JsonSchema::Reader {
 public:
  explicit Reader(JsonSchema& out) : out_(out) {}

  Status AddDocument(const std::string& name, const std::string& text) {
    TM_ASSIGN_OR_RETURN(auto document, ParseDocument(name.empty() ? "" : " '" + name + "'", text));
    const json& root = *document;
    out_.documents_.push_back(std::move(document));
    if (!name.empty()) places_[WithoutHash(name)] = &root;
    return Visit(root, "#", name, &root);
  }

  Status Link() {
    // What is found may be a place that holds no schema by its keyword: it is read as one, and may refer further.
    for (size_t i = 0; i < pending_.size(); ++i) {
      const Pending pending = pending_[i];
      TM_ASSIGN_OR_RETURN(const json* target, Find(pending));
      out_.targets_[pending.schema] = target;
      if (!visited_.contains(target))
        TM_RETURN_IF_ERROR(Visit(*target, pending.path + "/$ref", pending.base, pending.document));
    }
    return Status::OK();
  }

 private:
  struct Pending {
    const json* schema;
    const json* document;
    std::string base;
    std::string path;
  };

  Status Visit(const json& schema, const std::string& path, std::string base, const json* document) {
    visited_.insert(&schema);
    if (schema.is_boolean()) return Status::OK();
    if (!schema.is_object()) return SchemaFault(path, "a schema is an object, or true or false");
    for (const char* keyword : {"$id", "id"}) {
      const auto id = schema.find(keyword);
      if (id == schema.end() || !id->is_string()) continue;
      const std::string& text = id->get_ref<const std::string&>();
      if (text.starts_with('#')) {  // an anchor, in drafts 4 to 7
        anchors_[{document, text.substr(1)}] = &schema;
        continue;
      }
      base = UriFrom(base, WithoutHash(text));
      places_.try_emplace(base, &schema);
      break;
    }
    for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
      const auto anchor = schema.find(keyword);
      if (anchor != schema.end() && anchor->is_string()) anchors_[{document, anchor->get<std::string>()}] = &schema;
    }
    for (const char* keyword : {"$ref", "$dynamicRef", "$recursiveRef"}) {
      const auto reference = schema.find(keyword);
      if (reference == schema.end()) continue;
      if (!reference->is_string()) return SchemaFault(path, "a reference is a string");
      pending_.push_back({&schema, document, base, path});
      break;
    }
    for (const auto& [keyword, value] : schema.items())
      TM_RETURN_IF_ERROR(VisitKeyword(keyword, value, path + "/" + PointerPart(keyword), base, document));
    return Status::OK();
  }

  Status VisitKeyword(const std::string& keyword, const json& value, const std::string& path, const std::string& base,
                      const json* document) {
    if (keyword == "items") {
      if (!value.is_array()) return Visit(value, path, base, document);
    } else if (IsSchemaValue(keyword)) {
      return Visit(value, path, base, document);
    } else if (IsSchemaMap(keyword) || keyword == "dependencies") {
      if (!value.is_object()) return SchemaFault(path, "not an object");
      for (const auto& [name, schema] : value.items()) {
        const std::string place = path + "/" + PointerPart(name);
        TM_RETURN_IF_ERROR(keyword == "dependencies" && schema.is_array() ? CheckStrings(schema, place)
                                                                          : Visit(schema, place, base, document));
      }
      return Status::OK();
    } else if (!IsSchemaArray(keyword)) {
      return CheckKeyword(keyword, value, path);
    }
    if (!value.is_array()) return SchemaFault(path, "not an array");
    if (value.empty() && keyword != "items") return SchemaFault(path, "an empty array");
    for (size_t i = 0; i < value.size(); ++i)
      TM_RETURN_IF_ERROR(Visit(value[i], fmt::format("{}/{}", path, i), base, document));
    return Status::OK();
  }

  Result<const json*> Find(const Pending& pending) const {
    const json& schema = *pending.schema;
    const char* keyword = schema.contains("$ref")          ? "$ref"
                          : schema.contains("$dynamicRef") ? "$dynamicRef"
                                                           : "$recursiveRef";
    const std::string& reference = schema[keyword].get_ref<const std::string&>();
    const size_t hash = std::min(reference.find('#'), reference.size());
    const std::string uri = reference.substr(0, hash);
    const std::string fragment = hash < reference.size() ? reference.substr(hash + 1) : "";
    const json* document = pending.document;
    if (!uri.empty()) {
      auto found = places_.find(uri);
      if (found == places_.end()) found = places_.find(UriFrom(pending.base, uri));
      if (found == places_.end()) {
        if (uri.find("json-schema.org/") != std::string::npos) return &Anything();  // a schema of schemas
        return SchemaFault(pending.path,
                           fmt::format("'{}' leads nowhere: name the schema in the references", reference));
      }
      document = found->second;
    }
    if (fragment.empty()) return document;
    if (fragment.front() == '/') {
      if (const json* place = FindPointer(*document, fragment); place != nullptr) return place;
    } else {
      for (const json* owner : {document, pending.document}) {
        if (const auto anchor = anchors_.find({owner, fragment}); anchor != anchors_.end()) return anchor->second;
      }
    }
    return SchemaFault(pending.path, fmt::format("'{}' leads nowhere", reference));
  }

  static const json* FindPointer(const json& document, std::string_view pointer) {
    const json* at = &document;
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      const size_t end = std::min(pointer.find('/'), pointer.size());
      std::string part;
      for (size_t i = 0; i < end; ++i) {
        const bool escaped = pointer[i] == '~' && i + 1 < end && (pointer[i + 1] == '0' || pointer[i + 1] == '1');
        part += escaped ? (pointer[++i] == '0' ? '~' : '/') : pointer[i];
      }
      pointer.remove_prefix(end);
      if (at->is_object()) {
        const auto found = at->find(part);
        if (found == at->end()) return nullptr;
        at = &*found;
      } else if (at->is_array() && !part.empty() && part.size() < 7 &&
                 part.find_first_not_of("0123456789") == std::string::npos) {
        const size_t index = std::stoul(part);
        if (index >= at->size()) return nullptr;
        at = &(*at)[index];
      } else {
        return nullptr;
      }
    }
    return at->is_object() || at->is_boolean() ? at : nullptr;
  }

  JsonSchema& out_;
  std::map<std::string, const json*> places_;                           // by URI or name
  std::map<std::pair<const json*, std::string>, const json*> anchors_;  // by document
  std::vector<Pending> pending_;
  std::set<const json*> visited_;
};

JsonSchema::JsonSchema() = default;
JsonSchema::~JsonSchema() = default;

Result<std::unique_ptr<JsonSchema>> JsonSchema::Parse(const ResolvedSchema& schema) {
  std::unique_ptr<JsonSchema> parsed(new JsonSchema());
  Reader reader(*parsed);
  for (const ResolvedSchema::Part& part : schema.parts) TM_RETURN_IF_ERROR(reader.AddDocument(part.name, part.text));
  TM_RETURN_IF_ERROR(reader.AddDocument("", schema.text));
  TM_RETURN_IF_ERROR(reader.Link());
  return parsed;
}

const json& JsonSchema::root() const { return *documents_.back(); }

std::string JsonSchema::CanonicalText() const { return root().dump(-1, ' ', false, json::error_handler_t::replace); }

const json& JsonSchema::Follow(const json& schema) const {
  const json* at = &schema;
  for (size_t steps = 0; steps <= targets_.size(); ++steps) {
    const auto target = targets_.find(at);
    if (target == targets_.end()) return *at;
    at = target->second;
  }
  return Anything();
}

}  // namespace tidemill
