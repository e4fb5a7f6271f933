#include "connect/datagen/datagen.h"

#include <algorithm>
#include <charconv>

#include <arrow/record_batch.h>

#include "connect/datagen/field_generator.h"
#include "connect/datagen/wake_timer.h"
#include "connect/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kPauseUsMin = 1'000;  // rows that are due within a millisecond come together

struct DatagenOptions {
  double rows_per_second = 10'000;
  std::optional<int64_t> number_of_rows;
  std::optional<uint64_t> seed;
};

Result<DatagenOptions> ParseDatagenOptions(const TableDefinition& table, const Config& options) {
  DatagenOptions out;
  const auto rate = options.GetDouble("rows-per-second", out.rows_per_second);
  if (!rate.ok() || !(*rate > 0))
    return OptionError(table, "rows-per-second", "'rows-per-second': expected a number above 0");
  out.rows_per_second = *rate;
  if (options.Has("number-of-rows")) {
    const auto rows = options.GetInt("number-of-rows", 0);
    if (!rows.ok() || *rows < 0)
      return OptionError(table, "number-of-rows", "'number-of-rows': expected a number of 0 or more");
    out.number_of_rows = *rows;
  }
  if (options.Has("seed")) {
    const auto seed = options.GetInt("seed", 0);
    if (!seed.ok()) return OptionError(table, "seed", "'seed': expected a whole number");
    out.seed = static_cast<uint64_t>(*seed);
  }
  return out;
}

// Every `fields.<column>.<option>` must name a column and an option.
Status CheckFieldOptions(const TableDefinition& table, const Config& options) {
  const std::vector<std::string> columns = table.physical_schema().names();
  for (const auto& [key, value] : options.values()) {
    if (!key.starts_with("fields.")) continue;
    const size_t dot = key.rfind('.');
    const std::string column = dot > 7 ? key.substr(7, dot - 7) : key.substr(7);
    const std::string name = key.substr(dot + 1);
    const auto unknown = [&](const std::string& what, const std::string& found, const std::vector<std::string>& known) {
      Status status = OptionError(table, key, "'" + key + "': no " + what + " '" + found + "'");
      const std::string nearest = NearestName(found, known);
      return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
    };
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) return unknown("column", column, columns);
    const auto& names = FieldOptionNames();
    if (std::find(names.begin(), names.end(), name) == names.end()) return unknown("option", name, names);
  }
  return Status::OK();
}

// Position text: "row:start in us:seed".
struct Position {
  int64_t row = 0;
  int64_t start_us = 0;
  uint64_t seed = 0;

  std::string ToText() const {
    return std::to_string(row) + ":" + std::to_string(start_us) + ":" + std::to_string(seed);
  }
  static Result<Position> Parse(std::string_view text) {
    Position out;
    const char* const end = text.data() + text.size();
    auto parsed = std::from_chars(text.data(), end, out.row);
    if (parsed.ec == std::errc() && parsed.ptr != end) parsed = std::from_chars(parsed.ptr + 1, end, out.start_us);
    if (parsed.ec == std::errc() && parsed.ptr != end) parsed = std::from_chars(parsed.ptr + 1, end, out.seed);
    if (parsed.ec != std::errc() || parsed.ptr != end)
      return Status(kInternalError, "bad position '" + std::string(text) + "' of datagen");
    return out;
  }
};

struct DatagenSetup {
  DatagenOptions options;
  Schema schema;                                            // what is read
  std::vector<std::unique_ptr<FieldGenerator>> generators;  // by column
  std::optional<int64_t> rows;                              // bounded
};

class DatagenReader final : public SplitReader {
 public:
  DatagenReader(const DatagenSetup& setup, WakeTimer& timer, Position position, SplitContext context)
      : setup_(setup), timer_(timer), position_(position), context_(std::move(context)) {
    times_ = {position_.start_us, setup_.options.rows_per_second};
    // After a restart the pace goes on from now; what was missed is not made up for at once.
    pace_ns_ = context_.clock->MonotonicNanos() -
               static_cast<int64_t>(static_cast<double>(position_.row) * 1e9 / setup_.options.rows_per_second);
  }

  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    const double seconds = static_cast<double>(context_.clock->MonotonicNanos() - pace_ns_) / 1e9;
    // The row at time 0 is due at once.
    const int64_t due =
        static_cast<int64_t>(std::min(seconds * setup_.options.rows_per_second + 1, 9e18)) - position_.row;
    int64_t n = std::clamp<int64_t>(due, 0, std::min(rows_max, kBatchRowsMax));
    if (setup_.rows) n = std::min(n, *setup_.rows - position_.row);
    if (n > 0) {
      arrow::ArrayVector columns;
      for (const auto& generator : setup_.generators) {
        TM_ASSIGN_OR_RETURN(auto column, generator->Generate(position_.seed, position_.row, n, times_));
        columns.push_back(std::move(column));
      }
      outcome.batch.rows = arrow::RecordBatch::Make(setup_.schema.arrow(), n, std::move(columns));
      outcome.batch.ingest_us = context_.clock->NowMicros();
      position_.row += n;
    }
    outcome.position = position_.ToText();
    outcome.ended = setup_.rows && position_.row >= *setup_.rows;
    if (n <= 0 && !outcome.ended) {
      outcome.idle = true;
      const double next_ns = static_cast<double>(position_.row) * 1e9 / setup_.options.rows_per_second;
      const int64_t pause_us =
          static_cast<int64_t>(next_ns / 1e3) - (context_.clock->MonotonicNanos() - pace_ns_) / 1000;
      if (context_.wake) timer_.CallAfter(std::max(pause_us, kPauseUsMin), context_.wake);
    }
    return outcome;
  }

 private:
  const DatagenSetup& setup_;
  WakeTimer& timer_;
  Position position_;
  SplitContext context_;
  RowTimes times_;
  int64_t pace_ns_ = 0;  // monotonic time at which row 0 would have been due
};

class DatagenSource final : public Source {
 public:
  explicit DatagenSource(DatagenSetup setup) : setup_(std::move(setup)) {}

  Result<std::vector<SourceSplit>> Splits() override { return std::vector<SourceSplit>{{"0"}}; }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit&, const std::optional<std::string>& text,
                                                 SplitContext context) override {
    Position position;
    if (text) {
      TM_ASSIGN_OR_RETURN(position, Position::Parse(*text));
    } else {
      position.start_us = context.clock->NowMicros();
      position.seed = setup_.options.seed.value_or(static_cast<uint64_t>(position.start_us));
    }
    std::unique_ptr<SplitReader> reader = std::make_unique<DatagenReader>(setup_, timer_, position, std::move(context));
    return reader;
  }

  bool bounded() const override { return setup_.rows.has_value(); }

 private:
  const DatagenSetup setup_;
  WakeTimer timer_;
};

// How many rows the table has: 'number-of-rows', or less when a sequence ends before.
Result<std::optional<int64_t>> RowsOf(const TableDefinition& table, const Config& options) {
  TM_ASSIGN_OR_RETURN(const DatagenOptions parsed, ParseDatagenOptions(table, options));
  std::optional<int64_t> rows = parsed.number_of_rows;
  for (const ColumnDefinition& column : table.columns) {
    if (column.kind != ColumnDefinition::Kind::kPhysical) continue;
    TM_ASSIGN_OR_RETURN(const auto generator, FieldGenerator::Make(table, options, {column.name, column.type}));
    if (const auto most = generator->rows_max()) rows = std::min(rows.value_or(*most), *most);
  }
  return rows;
}

Status ValidateDatagen(const TableDefinition& table, bool, bool, const ConnectorContext&) {
  TM_RETURN_IF_ERROR(CheckFieldOptions(table, table.options));
  return RowsOf(table, table.options).status();
}

Result<std::unique_ptr<Source>> MakeSource(const ScanSpec& scan, const ConnectorContext&) {
  DatagenSetup setup;
  TM_RETURN_IF_ERROR(CheckFieldOptions(*scan.table, scan.options));
  TM_ASSIGN_OR_RETURN(setup.options, ParseDatagenOptions(*scan.table, scan.options));
  TM_ASSIGN_OR_RETURN(setup.rows, RowsOf(*scan.table, scan.options));
  setup.schema = SourceReadSchema(scan);
  for (const Field& field : setup.schema.fields()) {
    TM_ASSIGN_OR_RETURN(auto generator, FieldGenerator::Make(*scan.table, scan.options, field));
    setup.generators.push_back(std::move(generator));
  }
  std::unique_ptr<Source> source = std::make_unique<DatagenSource>(std::move(setup));
  return source;
}

}  // namespace

Connector DatagenConnector() {
  Connector connector;
  connector.name = "datagen";
  connector.summary = "Rows made up at a given rate, repeatable by a seed";
  connector.is_source = true;
  connector.options = {
      {"rows-per-second", false, "10000", "rows a second"},
      {"number-of-rows", false, "", "the table ends after so many rows (default: never)"},
      {"seed", false, "", "a whole number: the same rows in every run (default: another one each time)"},
      {"fields.*", false, "",
       "per column: kind (random, sequence), min, max, max-past, length, var-len, start, end, null-rate"},
  };
  connector.validate = &ValidateDatagen;
  connector.is_bounded = [](const TableDefinition& table) {
    const auto rows = RowsOf(table, table.options);
    return rows.ok() && rows->has_value();
  };
  connector.make_source = &MakeSource;
  return connector;
}

}  // namespace tidemill
