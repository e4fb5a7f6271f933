#include "data/avro/avro_default.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "data/avro/avro_binary.h"
#include "data/errors.h"
#include "data/internal/json_text.h"

namespace tidemill {
namespace {

using Json = simdjson::dom::element;

void AppendSortedJson(Json value, std::string& out) {
  if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const Json item : simdjson::dom::array(value)) {
      if (!first) out += ',';
      first = false;
      AppendSortedJson(item, out);
    }
    out += ']';
  } else if (value.is_object()) {
    std::vector<std::pair<std::string_view, Json>> members;
    for (const auto member : simdjson::dom::object(value)) members.emplace_back(member.key, member.value);
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out += '{';
    for (size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      AppendJsonString(members[i].first, out);
      out += ':';
      AppendSortedJson(members[i].second, out);
    }
    out += '}';
  } else {
    out += simdjson::minify(value);
  }
}

// Walks a default along its type. Records may default to themselves without end and double at each level, so depth and
// size are bounded.
class DefaultEncoder {
 public:
  DefaultEncoder(size_t bytes_max, std::string& out) : bytes_max_(bytes_max), out_(out) {}

  Status Encode(const AvroType& type, Json value, int depth) {
    if (depth > kAvroDepthMax) return Refuse("the default is nested without end");
    if (out_.size() > bytes_max_) return Refuse("the defaults are larger than 1 MiB");
    switch (type.kind) {
      case AvroKind::kNull:
        return value.is_null() ? Status::OK() : Unfit(type, value);
      case AvroKind::kBoolean:
        if (!value.is_bool()) return Unfit(type, value);
        out_ += bool(value) ? '\1' : '\0';
        return Status::OK();
      case AvroKind::kInt:
      case AvroKind::kLong:
        return EncodeInteger(type, value);
      case AvroKind::kFloat:
      case AvroKind::kDouble:
        return EncodeFloat(type, value);
      case AvroKind::kString:
        if (!value.is_string()) return Unfit(type, value);
        AppendAvroBytes(std::string_view(value), out_);
        return Status::OK();
      case AvroKind::kBytes:
      case AvroKind::kFixed:
        return EncodeBytes(type, value);
      case AvroKind::kEnum:
        return EncodeSymbol(type, value);
      case AvroKind::kArray:
        return EncodeArray(type, value, depth);
      case AvroKind::kMap:
        return EncodeMap(type, value, depth);
      case AvroKind::kUnion:
        return EncodeUnion(type, value, depth);
      case AvroKind::kRecord:
        return EncodeRecord(type, value, depth);
    }
    return Unfit(type, value);
  }

 private:
  static Status Refuse(std::string message) { return Status(kInvalidSchema, std::move(message)); }
  static Status Unfit(const AvroType& type, Json value) {
    std::string text = SortedJson(value);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    const std::string what = type.name.empty() ? std::string(AvroKindName(type.kind)) : type.name;
    return Refuse(fmt::format("the default {} is no {}", text, what));
  }

  Status EncodeInteger(const AvroType& type, Json value) {
    if (!value.is_int64()) return Unfit(type, value);
    const int64_t number = int64_t(value);
    if (type.kind == AvroKind::kInt && number != static_cast<int32_t>(number)) return Unfit(type, value);
    AppendAvroLong(number, out_);
    return Status::OK();
  }

  Status EncodeFloat(const AvroType& type, Json value) {
    if (!value.is_number()) return Unfit(type, value);
    const double number = double(value);
    if (type.kind == AvroKind::kFloat) {
      AppendAvroFloat(static_cast<float>(number), out_);
    } else {
      AppendAvroDouble(number, out_);
    }
    return Status::OK();
  }

  // Each code point, U+0000 to U+00FF, is a byte.
  Status EncodeBytes(const AvroType& type, Json value) {
    if (!value.is_string()) return Unfit(type, value);
    const std::string_view text(value);
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
      const auto lead = static_cast<uint8_t>(text[i]);
      if (lead < 0x80) {
        bytes += text[i];
      } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < text.size()) {
        bytes += static_cast<char>(((lead & 3) << 6) | (static_cast<uint8_t>(text[++i]) & 0x3F));
      } else {
        return Unfit(type, value);
      }
    }
    if (type.kind == AvroKind::kBytes) {
      AppendAvroBytes(bytes, out_);
      return Status::OK();
    }
    if (static_cast<int64_t>(bytes.size()) != type.size) return Unfit(type, value);
    out_ += bytes;
    return Status::OK();
  }

  Status EncodeSymbol(const AvroType& type, Json value) {
    if (!value.is_string()) return Unfit(type, value);
    const auto found = std::find(type.symbols.begin(), type.symbols.end(), std::string_view(value));
    if (found == type.symbols.end()) return Unfit(type, value);
    symbols_looked_at_ += found - type.symbols.begin();
    if (symbols_looked_at_ > kSymbolsLookedAtMax) return Refuse("the default is too much work to look up");
    AppendAvroLong(found - type.symbols.begin(), out_);
    return Status::OK();
  }

  Status EncodeArray(const AvroType& type, Json value, int depth) {
    if (!value.is_array()) return Unfit(type, value);
    const simdjson::dom::array items(value);
    const auto count = static_cast<int64_t>(std::distance(items.begin(), items.end()));
    if (count > 0) {
      AppendAvroLong(count, out_);
      for (const Json item : items) TM_RETURN_IF_ERROR(Encode(*type.children[0], item, depth + 1));
    }
    AppendAvroLong(0, out_);
    return Status::OK();
  }

  Status EncodeMap(const AvroType& type, Json value, int depth) {
    if (!value.is_object()) return Unfit(type, value);
    const simdjson::dom::object members(value);
    const auto count = static_cast<int64_t>(std::distance(members.begin(), members.end()));
    if (count > 0) {
      AppendAvroLong(count, out_);
      for (const auto member : members) {
        AppendAvroBytes(member.key, out_);
        TM_RETURN_IF_ERROR(Encode(*type.children[0], member.value, depth + 1));
      }
    }
    AppendAvroLong(0, out_);
    return Status::OK();
  }

  // The first branch that the value fits.
  Status EncodeUnion(const AvroType& type, Json value, int depth) {
    const size_t begin = out_.size();
    for (size_t i = 0; i < type.children.size(); ++i) {
      AppendAvroLong(static_cast<int64_t>(i), out_);
      if (Encode(*type.children[i], value, depth + 1).ok()) return Status::OK();
      if (++tries_ > kTriesMax) return Refuse("the default is too much work to match with its union");
      out_.resize(begin);
    }
    return Unfit(type, value);
  }

  Status EncodeRecord(const AvroType& type, Json value, int depth) {
    if (!value.is_object()) return Unfit(type, value);
    const simdjson::dom::object members(value);
    for (const AvroField& field : type.fields) {
      Json given;
      if (members.at_key(field.name).get(given) == simdjson::SUCCESS) {
        TM_RETURN_IF_ERROR(Encode(*field.type, given, depth + 1));
        continue;
      }
      if (!field.default_text) return Refuse(fmt::format("the default lacks '{}' of {}", field.name, type.name));
      simdjson::dom::parser parser;
      if (++tries_ > kTriesMax) return Refuse("the default is nested too often");
      if (parser.parse(*field.default_text).get(given)) return Refuse("the default can't be parsed");
      TM_RETURN_IF_ERROR(Encode(*field.type, given, depth + 1));
    }
    return Status::OK();
  }

  static constexpr int kTriesMax = 10'000;
  static constexpr int64_t kSymbolsLookedAtMax = 50'000'000;
  const size_t bytes_max_;
  std::string& out_;
  int tries_ = 0;
  int64_t symbols_looked_at_ = 0;
};

}  // namespace

Status EncodeAvroDefault(const AvroType& type, simdjson::dom::element value, size_t bytes_max, std::string& out) {
  return DefaultEncoder(bytes_max, out).Encode(type, value, 0);
}

std::string SortedJson(simdjson::dom::element value) {
  std::string out;
  AppendSortedJson(value, out);
  return out;
}

}  // namespace tidemill
