#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
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
    bool changelog = false;  // a first column `op` says +I, -U, +U, -D
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
  Status PrintBlock();
  Status PrintJson(const Batch& batch);

  const Options options_;
  Console& console_;
  const Clock& clock_;
  std::unique_ptr<class RowEncoder> json_;
  mutable std::mutex mutex_;
  std::vector<std::vector<Cell>> block_;
  int64_t block_since_ns_ = 0;
  std::vector<size_t> widths_;
  bool header_shown_ = false;
  bool closed_ = false;
  int64_t rows_ = 0;
};

// A sink that gives every row to the printer, for plans that end in a SELECT. Rows are shown as they come, not with the
// epoch.
std::shared_ptr<Sink> MakeResultSink(std::shared_ptr<ResultPrinter> printer);

}  // namespace tidemill
