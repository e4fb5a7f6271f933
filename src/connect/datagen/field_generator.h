#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"
#include "data/schema.h"
#include "sql/catalog.h"

namespace tidemill {

// When rows are due, for columns of time.
struct RowTimes {
  int64_t start_us = 0;
  double rows_per_second = 10'000;
  int64_t DueMicros(int64_t row) const {
    return start_us + static_cast<int64_t>(static_cast<double>(row) * 1e6 / rows_per_second);
  }
};

// Makes up one column. Stateless: a value depends on the seed, the column's name and the row's number only.
class FieldGenerator {
 public:
  // Reads `fields.<name>.*`; errors carry the option's position.
  static Result<std::unique_ptr<FieldGenerator>> Make(const TableDefinition& table, const Config& options,
                                                      const Field& field);
  virtual ~FieldGenerator() = default;
  virtual Result<std::shared_ptr<arrow::Array>> Generate(uint64_t seed, int64_t first_row, int64_t num_rows,
                                                         const RowTimes& times) const = 0;
  // Rows until a sequence has ended; nullopt = no sequence.
  virtual std::optional<int64_t> rows_max() const { return std::nullopt; }
};

// The names of `fields.*` options that a column may have.
const std::vector<std::string>& FieldOptionNames();

}  // namespace tidemill
