#include "connect/print/print.h"

#include <cstdio>
#include <mutex>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "connect/errors.h"
#include "connect/persisted_columns.h"
#include "connect/print/java_text.h"

namespace tidemill {
namespace {

struct PrintOptions {
  std::string identifier;
  bool standard_error = false;
};

Result<PrintOptions> ParsePrintOptions(const TableDefinition& table) {
  PrintOptions out;
  out.identifier = table.options.GetString("print-identifier", "");
  const auto standard_error = table.options.GetBool("standard-error", false);
  if (!standard_error.ok()) return OptionError(table, "standard-error", standard_error.status().message());
  out.standard_error = *standard_error;
  return out;
}

const char* KindText(int8_t kind) {
  switch (static_cast<RowKind>(kind)) {
    case RowKind::kInsert:
      return "+I[";
    case RowKind::kUpdateBefore:
      return "-U[";
    case RowKind::kUpdateAfter:
      return "+U[";
    case RowKind::kDelete:
      return "-D[";
  }
  return "+I[";
}

class PrintWriter final : public SinkWriter {
 public:
  PrintWriter(const Schema& schema, std::FILE* stream, std::string prefix)
      : schema_(schema), stream_(stream), prefix_(std::move(prefix)) {}

  Status Write(Batch batch) override {
    text_.clear();
    const auto* kinds = static_cast<const arrow::Int8Array*>(batch.row_kinds.get());
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += prefix_;
      text_ += kinds != nullptr ? KindText(kinds->Value(row)) : "+I[";
      for (int c = 0; c < schema_.num_fields(); ++c) {
        if (c > 0) text_ += ", ";
        AppendJavaText(*batch.rows->column(c), schema_.field(c).type, row, text_);
      }
      text_ += "]\n";
    }
    // One call a batch: lines of several subtasks do not mix.
    if (std::fwrite(text_.data(), 1, text_.size(), stream_) != text_.size() || std::fflush(stream_) != 0) {
      return Status(kIoError, "printing failed: the other end is closed");
    }
    return Status::OK();
  }
  Result<std::optional<std::string>> Prepare(int64_t) override { return std::optional<std::string>(""); }

 private:
  const Schema& schema_;
  std::FILE* stream_;
  std::string prefix_;
  std::string text_;
};

class PrintSink final : public Sink {
 public:
  PrintSink(Schema schema, PrintOptions options) : schema_(std::move(schema)), options_(std::move(options)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    std::string prefix = options_.identifier;
    if (context.parallelism > 1) prefix += (prefix.empty() ? "" : ":") + std::to_string(context.subtask + 1);
    if (!prefix.empty()) prefix += "> ";
    std::unique_ptr<SinkWriter> writer =
        std::make_unique<PrintWriter>(schema_, options_.standard_error ? stderr : stdout, std::move(prefix));
    return writer;
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return Status::OK(); }

 private:
  const Schema schema_;
  const PrintOptions options_;
};

}  // namespace

Connector PrintConnector() {
  Connector connector;
  connector.name = "print";
  connector.summary = "Rows as lines on stdout or stderr";
  connector.is_sink = true;
  connector.options = {
      {"print-identifier", false, "", "stands before every line"},
      {"standard-error", false, "false", "print to stderr instead of stdout"},
  };
  connector.validate = [](const TableDefinition& table, bool, bool, const ConnectorContext&) {
    return ParsePrintOptions(table).status();
  };
  connector.make_sink = [](const SinkSpec& sink, const ConnectorContext&) -> Result<std::unique_ptr<Sink>> {
    TM_ASSIGN_OR_RETURN(PrintOptions options, ParsePrintOptions(*sink.table));
    std::unique_ptr<Sink> out = std::make_unique<PrintSink>(PersistedSchema(*sink.table), std::move(options));
    return out;
  };
  return connector;
}

}  // namespace tidemill
