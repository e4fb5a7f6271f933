#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "data/batch.h"
#include "exec/sink.h"
#include "server/console.h"

namespace tidemill {

// Every value of a batch as text, column by column: NULL where it is null, nested values as JSON.
Result<std::vector<std::vector<Cell>>> BatchCells(const Schema& schema, const Batch& batch, const Clock& clock,
                                                  const std::string& time_zone);

// Shows the rows of a query. Text is aligned per block of rows: a block ends when it is full, when its first row is
// old, or with the query. JSON and CSV lines go out at once. Thread-safe.
class ResultPrinter {
 public:
  struct Options {
    Schema schema;
    bool changelog = false;  // rows are updated: a first column `op` says +I, -U, +U, -D
    bool bounded = false;    // with changelog: only the rows that remain are shown, at the end, without `op`
    OutputFormat format = OutputFormat::kText;
    std::string time_zone = "UTC";
    int64_t rows_max = -1;  // what is more is dropped; -1 = all
  };
  ResultPrinter(Options options, Console& console, const Clock& clock);
  ~ResultPrinter();

  Status Add(const Batch& batch);
  // Prints a block that has waited long enough; call it now and then.
  Status Tick();
  // Prints what is left, and for text the number of rows.
  Status Finish();
  int64_t rows() const;
  // rows_max rows have come, or nobody reads stdout any more: the query may stop.
  bool is_full() const;

 private:
  Status AddChanges(const Batch& batch);
  Status PrintRemaining();
  Status PrintBlock();
  Status PrintJson(const Batch& batch);

  // A row of an updated result, as often as it is there.
  struct Remaining {
    std::vector<Cell> cells;  // text and CSV
    std::string json;
    int64_t count = 0;
    uint64_t added = 0;  // when it last came
  };

  const Options options_;
  const bool shows_op_;
  Console& console_;
  const Clock& clock_;
  std::unique_ptr<class RowEncoder> json_;
  mutable std::mutex mutex_;
  std::vector<std::vector<Cell>> block_;
  int64_t block_since_ns_ = 0;
  std::unordered_map<std::string, Remaining> remaining_;
  uint64_t added_ = 0;
  std::vector<size_t> widths_;
  bool header_shown_ = false;
  bool closed_ = false;
  int64_t rows_ = 0;
};

// A sink that gives every row to the printer, for plans that end in a SELECT. Rows are shown as they come, not with the
// epoch.
std::shared_ptr<Sink> MakeResultSink(std::shared_ptr<ResultPrinter> printer);

}  // namespace tidemill
