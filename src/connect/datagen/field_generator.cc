#include "connect/datagen/field_generator.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/util/decimal.h>

#include "base/murmur.h"
#include "connect/connector.h"
#include "connect/errors.h"
#include "data/arrow_status.h"

namespace tidemill {
namespace {

constexpr int64_t kLengthMax = 1 << 20;

uint64_t HashName(std::string_view name) {
  uint64_t hash = 0x9e3779b97f4a7c15ULL;
  for (const char c : name) hash = MixHash64(hash ^ static_cast<unsigned char>(c));
  return hash;
}

// Independent draws for one row: draw k of row r under a seed.
class Draws {
 public:
  Draws(uint64_t seed, uint64_t column) : base_(MixHash64(seed + 0x632be59bd9b4e019ULL) ^ column) {}
  uint64_t Word(int64_t row, uint64_t k = 0) const {
    return MixHash64(MixHash64(base_ + static_cast<uint64_t>(row) * 0x9e3779b97f4a7c15ULL) + k);
  }
  double Unit(int64_t row, uint64_t k = 0) const { return static_cast<double>(Word(row, k) >> 11) * 0x1.0p-53; }
  // Uniform in [low, high], both included.
  int64_t Between(int64_t low, int64_t high, int64_t row, uint64_t k = 0) const {
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;  // 0: all 2^64
    if (span == 0) return static_cast<int64_t>(Word(row, k));
    const unsigned __int128 scaled = static_cast<unsigned __int128>(Word(row, k)) * span;
    return static_cast<int64_t>(static_cast<uint64_t>(low) + static_cast<uint64_t>(scaled >> 64));
  }

 private:
  uint64_t base_;
};

constexpr uint64_t kNullDraw = 1000;
constexpr uint64_t kLengthDraw = 1001;

struct FieldSpec {
  Field field;
  uint64_t column = 0;
  double null_rate = 0;
  bool sequence = false;
  int64_t start = 0;
  int64_t end = 0;
  int64_t min_integer = 0;
  int64_t max_integer = 0;
  double min_double = 0;
  double max_double = 1;
  int64_t length = 100;
  bool var_len = false;
  int64_t max_past_ms = 0;
};

// Fills a builder: `append(row)` for rows that are not NULL.
template <typename Builder, typename Append>
Result<std::shared_ptr<arrow::Array>> Fill(Builder& builder, const FieldSpec& spec, const Draws& draws, int64_t first,
                                           int64_t n, Append append) {
  TM_ARROW_RETURN_IF_ERROR(builder.Reserve(n), "generate rows");
  for (int64_t row = first; row < first + n; ++row) {
    if (spec.null_rate > 0 && draws.Unit(row, kNullDraw) < spec.null_rate) {
      TM_ARROW_RETURN_IF_ERROR(builder.AppendNull(), "generate rows");
    } else {
      TM_ARROW_RETURN_IF_ERROR(append(row), "generate rows");
    }
  }
  std::shared_ptr<arrow::Array> out;
  TM_ARROW_RETURN_IF_ERROR(builder.Finish(&out), "generate rows");
  return out;
}

class SpecGenerator final : public FieldGenerator {
 public:
  explicit SpecGenerator(FieldSpec spec) : spec_(std::move(spec)) {}

  std::optional<int64_t> rows_max() const override {
    if (!spec_.sequence) return std::nullopt;
    return spec_.end - spec_.start + 1;
  }

  Result<std::shared_ptr<arrow::Array>> Generate(uint64_t seed, int64_t first, int64_t n,
                                                 const RowTimes& times) const override {
    const Draws draws(seed, spec_.column);
    const auto integer = [&](int64_t row) {
      return spec_.sequence ? spec_.start + row : draws.Between(spec_.min_integer, spec_.max_integer, row);
    };
    const auto number = [&](int64_t row) {
      if (spec_.sequence) return static_cast<double>(spec_.start + row);
      const double unit = draws.Unit(row);
      return spec_.min_double * (1 - unit) + spec_.max_double * unit;  // does not overflow where max - min would
    };
    const auto micros = [&](int64_t row) {
      const int64_t past = spec_.max_past_ms > 0 ? draws.Between(0, spec_.max_past_ms, row) : 0;
      return times.DueMicros(row) - past * 1000;
    };
    const auto fill = [&](auto& builder, auto append) { return Fill(builder, spec_, draws, first, n, append); };
    switch (spec_.field.type.kind()) {
      case TypeKind::kBoolean: {
        arrow::BooleanBuilder builder;
        return fill(builder, [&](int64_t row) { return builder.Append((draws.Word(row) & 1) != 0); });
      }
      case TypeKind::kTinyInt:
        return Integers<arrow::Int8Builder>(fill, integer);
      case TypeKind::kSmallInt:
        return Integers<arrow::Int16Builder>(fill, integer);
      case TypeKind::kInt:
        return Integers<arrow::Int32Builder>(fill, integer);
      case TypeKind::kBigInt:
        return Integers<arrow::Int64Builder>(fill, integer);
      case TypeKind::kFloat: {
        arrow::FloatBuilder builder;
        return fill(builder, [&](int64_t row) { return builder.Append(static_cast<float>(number(row))); });
      }
      case TypeKind::kDouble: {
        arrow::DoubleBuilder builder;
        return fill(builder, [&](int64_t row) { return builder.Append(number(row)); });
      }
      case TypeKind::kDecimal: {
        arrow::Decimal128Builder builder(ToArrow(spec_.field.type));
        return fill(builder, [&](int64_t row) { return builder.Append(arrow::Decimal128(integer(row))); });
      }
      case TypeKind::kString:
        return Texts(fill, draws);
      case TypeKind::kBytes:
        return Bytes(fill, draws);
      case TypeKind::kDate: {
        arrow::Date32Builder builder;
        return fill(builder,
                    [&](int64_t row) { return builder.Append(static_cast<int32_t>(micros(row) / 86'400'000'000)); });
      }
      case TypeKind::kTime: {
        arrow::Time32Builder builder(ToArrow(spec_.field.type), arrow::default_memory_pool());
        return fill(builder,
                    [&](int64_t row) { return builder.Append(static_cast<int32_t>(micros(row) / 1000 % 86'400'000)); });
      }
      default:
        break;
    }
    arrow::TimestampBuilder builder(ToArrow(spec_.field.type), arrow::default_memory_pool());
    const int precision = spec_.field.type.precision();
    return fill(builder, [&](int64_t row) {
      const int64_t us = micros(row);
      return builder.Append(precision <= 3 ? us / 1000 : precision <= 6 ? us : us * 1000);
    });
  }

 private:
  template <typename Builder, typename FillIn, typename Integer>
  static Result<std::shared_ptr<arrow::Array>> Integers(FillIn fill, Integer integer) {
    Builder builder;
    return fill(builder,
                [&](int64_t row) { return builder.Append(static_cast<typename Builder::value_type>(integer(row))); });
  }

  size_t LengthOf(const Draws& draws, int64_t row) const {
    return static_cast<size_t>(spec_.var_len && spec_.length > 0 ? draws.Between(1, spec_.length, row, kLengthDraw)
                                                                 : spec_.length);
  }

  template <typename FillIn>
  Result<std::shared_ptr<arrow::Array>> Texts(FillIn fill, const Draws& draws) const {
    arrow::StringBuilder builder;
    std::string text;
    return fill(builder, [&](int64_t row) {
      if (spec_.sequence) return builder.Append(std::to_string(spec_.start + row));
      text.resize(LengthOf(draws, row));
      static constexpr char kHex[] = "0123456789abcdef";
      uint64_t word = 0;
      for (size_t i = 0; i < text.size(); ++i, word >>= 4) {
        if (i % 16 == 0) word = draws.Word(row, i / 16);
        text[i] = kHex[word & 15];
      }
      return builder.Append(text);
    });
  }

  template <typename FillIn>
  Result<std::shared_ptr<arrow::Array>> Bytes(FillIn fill, const Draws& draws) const {
    arrow::BinaryBuilder builder;
    std::string text;
    return fill(builder, [&](int64_t row) {
      text.resize(LengthOf(draws, row));
      uint64_t word = 0;
      for (size_t i = 0; i < text.size(); ++i, word >>= 8) {
        if (i % 8 == 0) word = draws.Word(row, i / 8);
        text[i] = static_cast<char>(word & 255);
      }
      return builder.Append(text);
    });
  }

  FieldSpec spec_;
};

// Reads the options of one column and checks them against its type.
class SpecReader {
 public:
  SpecReader(const TableDefinition& table, const Config& options, const Field& field)
      : table_(table), options_(options), prefix_("fields." + field.name + ".") {
    spec_.field = field;
    spec_.column = HashName(field.name);
  }

  Result<FieldSpec> Read() {
    const std::string kind = options_.GetString(prefix_ + "kind", "random");
    if (kind != "random" && kind != "sequence") return Error("kind", "'" + kind + "': expected random or sequence");
    spec_.sequence = kind == "sequence";
    TM_RETURN_IF_ERROR(CheckType());
    if (spec_.sequence) {
      TM_RETURN_IF_ERROR(ReadSequence());
    } else if (IsWhole() || spec_.field.type.kind() == TypeKind::kDecimal) {
      TM_RETURN_IF_ERROR(ReadRange());
    } else if (spec_.field.type.IsApproximate()) {
      TM_RETURN_IF_ERROR(ReadDoubleRange());
    }
    return ReadRest();
  }

 private:
  bool IsWhole() const { return spec_.field.type.IsInteger(); }

  Status Error(const std::string& name, const std::string& message) const {
    return OptionError(table_, prefix_ + name, "'" + prefix_ + name + "': " + message);
  }

  Status CheckType() const {
    const TypeKind kind = spec_.field.type.kind();
    const bool flat = spec_.field.type.children().empty() && kind != TypeKind::kNull && !spec_.field.type.IsInterval();
    if (!flat)
      return Status(kUnsupportedType, "connector 'datagen' can't make up " + spec_.field.type.ToString() +
                                          " (column '" + spec_.field.name + "')")
          .At(table_.position);
    const bool counts =
        IsWhole() || spec_.field.type.IsApproximate() || kind == TypeKind::kString || kind == TypeKind::kDecimal;
    if (spec_.sequence && !counts)
      return Error("kind", "a sequence is of numbers or STRING, not " + spec_.field.type.ToString());
    return Status::OK();
  }

  Result<int64_t> Integer(const std::string& name, int64_t fallback) const {
    auto value = options_.GetInt(prefix_ + name, fallback);
    if (!value.ok()) return Error(name, "expected a whole number");
    return *value;
  }

  Status ReadSequence() {
    if (!options_.Has(prefix_ + "start") || !options_.Has(prefix_ + "end")) {
      return Error("kind", "a sequence needs '" + prefix_ + "start' and '" + prefix_ + "end'");
    }
    TM_ASSIGN_OR_RETURN(spec_.start, Integer("start", 0));
    TM_ASSIGN_OR_RETURN(spec_.end, Integer("end", 0));
    if (spec_.end < spec_.start || spec_.end - spec_.start < 0) return Error("end", "is before 'start'");
    return Status::OK();
  }

  Status ReadRange() {
    const DataType& type = spec_.field.type;
    int64_t lowest = INT64_MIN;
    int64_t highest = INT64_MAX;
    int64_t factor = 1;
    switch (type.kind()) {
      case TypeKind::kTinyInt:
        lowest = INT8_MIN, highest = INT8_MAX;
        break;
      case TypeKind::kSmallInt:
        lowest = INT16_MIN, highest = INT16_MAX;
        break;
      case TypeKind::kInt:
        lowest = INT32_MIN, highest = INT32_MAX;
        break;
      case TypeKind::kDecimal:  // unscaled, at most 18 digits
        highest = 1;
        for (int i = 0; i < std::min(type.precision(), 18); ++i) highest *= 10;
        --highest;
        lowest = -highest;
        for (int i = 0; i < std::min(type.scale(), 18); ++i) factor *= 10;
        break;
      default:
        break;
    }
    spec_.min_integer = lowest;
    spec_.max_integer = highest;
    for (const auto& [name, bound] : {std::pair{"min", &spec_.min_integer}, {"max", &spec_.max_integer}}) {
      if (!options_.Has(prefix_ + name)) continue;
      TM_ASSIGN_OR_RETURN(const int64_t value, Integer(name, 0));
      if (__builtin_mul_overflow(value, factor, bound) || *bound < lowest || *bound > highest)
        return Error(name, "does not fit " + type.ToString());
    }
    if (spec_.min_integer > spec_.max_integer) return Error("min", "is above 'max'");
    return Status::OK();
  }

  Status ReadDoubleRange() {
    const bool narrow = spec_.field.type.kind() == TypeKind::kFloat;
    const double highest =
        narrow ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
    spec_.min_double = 0;
    spec_.max_double = highest;
    for (const auto& [name, bound] : {std::pair{"min", &spec_.min_double}, {"max", &spec_.max_double}}) {
      const auto value = options_.GetDouble(prefix_ + name, *bound);
      if (!value.ok() || std::isnan(*value) || std::fabs(*value) > highest)
        return Error(name, "expected a number that fits " + spec_.field.type.ToString());
      *bound = *value;
    }
    if (spec_.min_double > spec_.max_double) return Error("min", "is above 'max'");
    return Status::OK();
  }

  Result<FieldSpec> ReadRest() {
    const bool bytes = spec_.field.type.kind() == TypeKind::kBytes;
    TM_ASSIGN_OR_RETURN(spec_.length, Integer("length", bytes ? 20 : 100));
    if (spec_.length < 0 || spec_.length > kLengthMax)
      return Error("length", "expected 0 to " + std::to_string(kLengthMax));
    const auto var_len = options_.GetBool(prefix_ + "var-len", false);
    if (!var_len.ok()) return Error("var-len", "expected true or false");
    spec_.var_len = *var_len;
    const auto past = options_.GetDurationMs(prefix_ + "max-past", 0);
    if (!past.ok() || *past < 0) return Error("max-past", "expected a duration");
    spec_.max_past_ms = *past;
    const auto null_rate = options_.GetDouble(prefix_ + "null-rate", 0);
    if (!null_rate.ok() || !(*null_rate >= 0 && *null_rate <= 1)) return Error("null-rate", "expected 0 to 1");
    spec_.null_rate = *null_rate;
    if (spec_.null_rate > 0 && !spec_.field.type.nullable()) return Error("null-rate", "the column is NOT NULL");
    return spec_;
  }

  const TableDefinition& table_;
  const Config& options_;
  const std::string prefix_;
  FieldSpec spec_;
};

}  // namespace

Result<std::unique_ptr<FieldGenerator>> FieldGenerator::Make(const TableDefinition& table, const Config& options,
                                                             const Field& field) {
  TM_ASSIGN_OR_RETURN(FieldSpec spec, SpecReader(table, options, field).Read());
  std::unique_ptr<FieldGenerator> generator = std::make_unique<SpecGenerator>(std::move(spec));
  return generator;
}

const std::vector<std::string>& FieldOptionNames() {
  static const std::vector<std::string> kNames = {"kind",    "min",   "max", "max-past", "length",
                                                  "var-len", "start", "end", "null-rate"};
  return kNames;
}

}  // namespace tidemill
