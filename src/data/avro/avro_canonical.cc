#include <unordered_set>

#include <fmt/format.h>

#include "data/avro/avro_schema.h"
#include "data/internal/json_text.h"

namespace tidemill {
namespace {

// Writes each named type where it is met first, by name afterwards.
class AvroWriter {
 public:
  explicit AvroWriter(const std::vector<const AvroType*>& known) : written_(known.begin(), known.end()) {}

  void Write(const AvroType& type, std::string_view space) {
    if (type.named() && !written_.insert(&type).second) {
      WriteText(type.name);
      return;
    }
    switch (type.kind) {
      case AvroKind::kUnion:
        out_ += '[';
        for (const AvroType* branch : type.children) {
          if (out_.back() != '[') out_ += ',';
          Write(*branch, space);
        }
        out_ += ']';
        return;
      case AvroKind::kArray:
      case AvroKind::kMap:
        out_ += fmt::format("{{\"type\":\"{}\",\"{}\":", AvroKindName(type.kind),
                            type.kind == AvroKind::kArray ? "items" : "values");
        Write(*type.children[0], space);
        break;
      case AvroKind::kRecord:
      case AvroKind::kEnum:
      case AvroKind::kFixed:
        WriteNamed(type, space);
        break;
      default:
        if (type.attributes.empty()) {
          WriteText(AvroKindName(type.kind));
          return;
        }
        out_ += fmt::format("{{\"type\":\"{}\"", AvroKindName(type.kind));
    }
    WriteAttributes(type.attributes);
    out_ += '}';
  }

  std::string Take() { return std::move(out_); }

 private:
  void WriteNamed(const AvroType& type, std::string_view outer_space) {
    const std::string_view simple = AvroSimpleName(type.name);
    const std::string_view space = simple.size() == type.name.size()
                                       ? std::string_view()
                                       : std::string_view(type.name).substr(0, type.name.size() - simple.size() - 1);
    out_ += fmt::format("{{\"type\":\"{}\",\"name\":", AvroKindName(type.kind));
    WriteText(simple);
    if (space != outer_space) {
      out_ += ",\"namespace\":";
      WriteText(space);
    }
    if (!type.doc_text.empty()) out_ += ",\"doc\":" + type.doc_text;
    WriteAliases(type.aliases);
    if (type.kind == AvroKind::kFixed) out_ += fmt::format(",\"size\":{}", type.size);
    if (type.kind == AvroKind::kEnum) {
      out_ += ",\"symbols\":";
      WriteList(type.symbols);
      if (type.enum_default) {
        out_ += ",\"default\":";
        WriteText(*type.enum_default);
      }
    }
    if (type.kind != AvroKind::kRecord) return;
    out_ += ",\"fields\":[";
    for (const AvroField& field : type.fields) {
      if (out_.back() != '[') out_ += ',';
      WriteField(field, space);
    }
    out_ += ']';
  }

  void WriteField(const AvroField& field, std::string_view space) {
    out_ += "{\"name\":";
    WriteText(field.name);
    out_ += ",\"type\":";
    Write(*field.type, space);
    if (!field.doc_text.empty()) out_ += ",\"doc\":" + field.doc_text;
    if (field.default_text) out_ += ",\"default\":" + *field.default_text;
    if (field.order != "ascending") out_ += fmt::format(",\"order\":\"{}\"", field.order);
    WriteAliases(field.aliases);
    WriteAttributes(field.attributes);
    out_ += '}';
  }

  void WriteAliases(const std::vector<std::string>& aliases) {
    if (aliases.empty()) return;
    out_ += ",\"aliases\":";
    WriteList(aliases);
  }

  void WriteList(const std::vector<std::string>& texts) {
    out_ += '[';
    for (size_t i = 0; i < texts.size(); ++i) {
      if (i > 0) out_ += ',';
      WriteText(texts[i]);
    }
    out_ += ']';
  }

  void WriteAttributes(const std::map<std::string, std::string>& attributes) {
    for (const auto& [key, text] : attributes) {
      out_ += ',';
      WriteText(key);
      out_ += ':';
      out_ += text;
    }
  }

  void WriteText(std::string_view text) { AppendJsonString(text, out_); }

  std::unordered_set<const AvroType*> written_;
  std::string out_;
};

}  // namespace

std::string AvroSchema::CanonicalText() const {
  AvroWriter writer(referenced_);
  writer.Write(*root_, "");
  return writer.Take();
}

}  // namespace tidemill
