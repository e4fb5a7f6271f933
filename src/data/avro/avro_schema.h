#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "data/registered_schema.h"

namespace tidemill {

// The types of Avro 1.12, in the order of its specification.
enum class AvroKind : uint8_t {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kRecord,
  kEnum,
  kArray,
  kMap,
  kUnion,
  kFixed,
};

// Annotations that the specification names. An unknown one, or one that does not fit its type, is none, as it demands.
enum class AvroLogical : uint8_t {
  kNone,
  kDecimal,
  kUuid,
  kDate,
  kTimeMillis,
  kTimeMicros,
  kTimestampMillis,
  kTimestampMicros,
  kTimestampNanos,
  kLocalTimestampMillis,
  kLocalTimestampMicros,
  kLocalTimestampNanos,
  kDuration,
};

struct AvroType;

struct AvroField {
  std::string name;
  std::vector<std::string> aliases;
  const AvroType* type = nullptr;
  std::optional<std::string> default_text;  // as JSON
  std::string default_bytes;                // the same, encoded as Avro; only with default_text
  std::string doc_text;                     // as JSON, empty = none
  std::string order = "ascending";
  std::map<std::string, std::string> attributes;  // members without a meaning here, as JSON
};

// One type of a schema. Records may hold themselves, so types point at each other; their AvroSchema owns them all.
struct AvroType {
  AvroKind kind = AvroKind::kNull;
  AvroLogical logical = AvroLogical::kNone;
  int precision = 0;  // of kDecimal
  int scale = 0;
  int64_t size = 0;                  // of kFixed, bytes
  std::string name;                  // full name of records, enums and fixed
  std::vector<std::string> aliases;  // full names
  std::vector<std::string> symbols;  // of kEnum
  std::optional<std::string> enum_default;
  std::vector<AvroField> fields;          // of kRecord
  std::vector<const AvroType*> children;  // element of kArray, value of kMap, branches of kUnion
  std::string doc_text;
  std::map<std::string, std::string> attributes;

  bool named() const { return kind == AvroKind::kRecord || kind == AvroKind::kEnum || kind == AvroKind::kFixed; }
};

// Bounds of what is parsed; beyond them it is kInvalidSchema.
inline constexpr size_t kAvroSchemaBytesMax = size_t{1} << 20;   // of one text
inline constexpr size_t kAvroTypesMax = 10'000;                  // of one schema with its references
inline constexpr int kAvroDepthMax = 100;                        // of types in each other; of JSON, four times that
inline constexpr size_t kAvroDefaultBytesMax = size_t{1} << 20;  // of all defaults, encoded
inline constexpr int64_t kAvroFixedBytesMax = int64_t{1} << 20;

// A parsed Avro schema. Immutable, shared by readers of any thread.
class AvroSchema {
 public:
  // Parses it and its references, checking names, defaults against their types, unions and bounds. kInvalidSchema names
  // the place as a JSON pointer ("/fields/2/type").
  static Result<std::shared_ptr<const AvroSchema>> Parse(const ResolvedSchema& schema);

  const AvroType& root() const { return *root_; }
  // JSON without white space, members in the specification's order, custom ones by name. Types that come from
  // references are named, not repeated.
  std::string CanonicalText() const;

 private:
  friend class AvroParser;
  std::vector<std::unique_ptr<AvroType>> types_;
  const AvroType* root_ = nullptr;
  std::vector<const AvroType*> referenced_;  // named types of the references
};

// As the specification writes them: "record", "timestamp-millis".
std::string_view AvroKindName(AvroKind kind);
std::string_view AvroLogicalName(AvroLogical logical);
// Of a timestamp; 0 for everything else.
int64_t AvroUnitsPerSecond(AvroLogical logical);
// The part of a full name after its last dot.
std::string_view AvroSimpleName(std::string_view full_name);

}  // namespace tidemill
