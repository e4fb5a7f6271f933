#include "data/avro/avro_compatibility.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "data/errors.h"

namespace tidemill {
namespace {

constexpr size_t kConflictsMax = 100;
constexpr int kComparisonsMax = 1'000'000;

std::string Described(const AvroType& type) {
  const std::string kind(AvroKindName(type.kind));
  return type.name.empty() ? kind : fmt::format("{} '{}'", kind, type.name);
}

bool Promotes(AvroKind writer, AvroKind reader) {
  switch (reader) {
    case AvroKind::kLong:
      return writer == AvroKind::kInt;
    case AvroKind::kFloat:
      return writer == AvroKind::kInt || writer == AvroKind::kLong;
    case AvroKind::kDouble:
      return writer == AvroKind::kInt || writer == AvroKind::kLong || writer == AvroKind::kFloat;
    case AvroKind::kBytes:
      return writer == AvroKind::kString;
    case AvroKind::kString:
      return writer == AvroKind::kBytes;
    default:
      return false;
  }
}

// Compares pairs of types. A pair that is being compared already, further up, is taken as compatible: a record that
// holds itself differs only where something else in it does. What a pair of records gave is remembered.
class AvroComparison {
 public:
  using Conflicts = std::vector<SchemaConflict>;

  Conflicts Compare(const AvroType& reader, const AvroType& writer, const std::string& path) {
    if (++comparisons_ > kComparisonsMax) return {};
    if (!reader.named() || !writer.named()) return CompareTypes(reader, writer, path);
    const auto [known, fresh] = pairs_.try_emplace({&reader, &writer});
    if (!fresh) return known->second;
    Conflicts conflicts = CompareTypes(reader, writer, path);
    pairs_[{&reader, &writer}] = conflicts;
    return conflicts;
  }

  bool gave_up() const { return comparisons_ > kComparisonsMax; }

 private:
  struct PairHash {
    size_t operator()(const std::pair<const AvroType*, const AvroType*>& pair) const {
      return std::hash<const void*>()(pair.first) * 31 + std::hash<const void*>()(pair.second);
    }
  };

  static void Append(Conflicts more, Conflicts& to) {
    for (SchemaConflict& conflict : more) {
      if (to.size() >= kConflictsMax) return;
      to.push_back(std::move(conflict));
    }
  }

  Conflicts CompareTypes(const AvroType& reader, const AvroType& writer, const std::string& path) {
    Conflicts out;
    if (writer.kind == AvroKind::kUnion) {
      for (size_t i = 0; i < writer.children.size(); ++i) {
        const AvroType& branch = *writer.children[i];
        const std::string place = fmt::format("{}/{}", path, i);
        Append(
            reader.kind == AvroKind::kUnion ? CompareWithUnion(reader, branch, place) : Compare(reader, branch, place),
            out);
      }
      return out;
    }
    if (reader.kind == AvroKind::kUnion) return CompareWithUnion(reader, writer, path);
    if (reader.kind != writer.kind) {
      if (Promotes(writer.kind, reader.kind)) return out;
      return {{"TYPE_MISMATCH", path,
               fmt::format("the reader's {} can't take the writer's {}", Described(reader), Described(writer))}};
    }
    switch (reader.kind) {
      case AvroKind::kArray:
        return Compare(*reader.children[0], *writer.children[0], path + "/items");
      case AvroKind::kMap:
        return Compare(*reader.children[0], *writer.children[0], path + "/values");
      case AvroKind::kRecord:
      case AvroKind::kEnum:
      case AvroKind::kFixed:
        return CompareNamed(reader, writer, path);
      default:
        return out;
    }
  }

  // Some branch of the reader has to take it.
  Conflicts CompareWithUnion(const AvroType& reader, const AvroType& writer, const std::string& path) {
    for (const AvroType* branch : reader.children) {
      if (Compare(*branch, writer, path).empty()) return {};
    }
    return {{"MISSING_UNION_BRANCH", path,
             fmt::format("no branch of the reader's union takes the writer's {}", Described(writer))}};
  }

  Conflicts CompareNamed(const AvroType& reader, const AvroType& writer, const std::string& path) {
    Conflicts out;
    if (!AvroNamesMatch(reader, writer)) {
      out.push_back({"NAME_MISMATCH", path + "/name",
                     fmt::format("the reader's '{}' has neither the name nor an alias of the writer's '{}'",
                                 reader.name, writer.name)});
    }
    if (reader.kind == AvroKind::kFixed && reader.size != writer.size) {
      out.push_back(
          {"FIXED_SIZE_MISMATCH", path + "/size",
           fmt::format("the reader's '{}' has {} bytes, the writer's {}", reader.name, reader.size, writer.size)});
    }
    if (reader.kind == AvroKind::kEnum) CompareSymbols(reader, writer, path, out);
    if (reader.kind == AvroKind::kRecord) CompareFields(reader, writer, path, out);
    return out;
  }

  static void CompareSymbols(const AvroType& reader, const AvroType& writer, const std::string& path, Conflicts& out) {
    if (reader.enum_default) return;
    const std::unordered_set<std::string_view> known(reader.symbols.begin(), reader.symbols.end());
    std::string missing;
    int more = 0;
    for (const std::string& symbol : writer.symbols) {
      if (known.count(symbol) > 0) continue;
      if (missing.size() < 200) {
        missing += (missing.empty() ? "" : ", ") + symbol;
      } else {
        ++more;
      }
    }
    if (missing.empty()) return;
    if (more > 0) missing += fmt::format(" and {} more", more);
    out.push_back(
        {"MISSING_ENUM_SYMBOLS", path + "/symbols",
         fmt::format("the reader's '{}' has no default and lacks symbols of the writer: {}", reader.name, missing)});
  }

  void CompareFields(const AvroType& reader, const AvroType& writer, const std::string& path, Conflicts& out) {
    std::unordered_map<std::string_view, const AvroField*> written_fields;
    for (const AvroField& field : writer.fields) written_fields.emplace(field.name, &field);
    const auto find = [&written_fields](const AvroField& field) -> const AvroField* {
      if (const auto found = written_fields.find(field.name); found != written_fields.end()) return found->second;
      for (const std::string& alias : field.aliases) {
        if (const auto found = written_fields.find(alias); found != written_fields.end()) return found->second;
      }
      return nullptr;
    };
    for (size_t i = 0; i < reader.fields.size(); ++i) {
      const AvroField& field = reader.fields[i];
      const std::string place = fmt::format("{}/fields/{}", path, i);
      if (const AvroField* written = find(field)) {
        Append(Compare(*field.type, *written->type, place + "/type"), out);
      } else if (!field.default_text) {
        out.push_back({"READER_FIELD_MISSING_DEFAULT_VALUE", place,
                       fmt::format("the reader's field '{}' is not in the writer's record '{}' and has no default",
                                   field.name, writer.name)});
      }
      if (out.size() >= kConflictsMax) return;
    }
  }

  std::unordered_map<std::pair<const AvroType*, const AvroType*>, Conflicts, PairHash> pairs_;
  int comparisons_ = 0;
};

}  // namespace

bool AvroNamesMatch(const AvroType& reader, const AvroType& writer) {
  if (AvroSimpleName(reader.name) == AvroSimpleName(writer.name)) return true;
  return std::find(reader.aliases.begin(), reader.aliases.end(), writer.name) != reader.aliases.end();
}

Result<std::vector<SchemaConflict>> FindAvroConflicts(const AvroSchema& reader, const AvroSchema& writer) {
  AvroComparison comparison;
  std::vector<SchemaConflict> conflicts = comparison.Compare(reader.root(), writer.root(), "");
  if (comparison.gave_up()) return Status(kInvalidSchema, "the schemas are too large to be compared");
  if (conflicts.size() > kConflictsMax) conflicts.resize(kConflictsMax);
  return conflicts;
}

}  // namespace tidemill
