#include "rows_connector.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "base/errors.h"
#include "data/format.h"
#include "job/journal_store.h"

namespace tidemill {
namespace {

class RowsReader final : public SplitReader {
 public:
  RowsReader(const std::vector<std::string>& lines, size_t at, Schema schema, std::unique_ptr<RowDecoder> decoder,
             SplitContext context)
      : lines_(lines),
        at_(at),
        schema_(std::move(schema)),
        decoder_(std::move(decoder)),
        context_(std::move(context)) {}

  Result<ReadOutcome> Read(int rows_max) override {
    std::vector<EncodedRow> rows;
    for (; at_ < lines_.size() && static_cast<int>(rows.size()) < rows_max; ++at_) {
      rows.push_back({lines_[at_], static_cast<int64_t>(at_) + 1});
    }
    ReadOutcome outcome;
    if (!rows.empty()) {
      TM_ASSIGN_OR_RETURN(auto decoded, decoder_->Decode(rows, *context_.rejects));
      outcome.batch.rows = std::move(decoded.rows);
      if (!decoded.row_kinds.empty()) {
        const auto n = static_cast<int64_t>(decoded.row_kinds.size());
        outcome.batch.row_kinds =
            std::make_shared<arrow::Int8Array>(n, arrow::Buffer::FromVector(std::move(decoded.row_kinds)));
      }
    }
    outcome.position = std::to_string(at_);
    outcome.ended = at_ == lines_.size();
    return outcome;
  }

 private:
  const std::vector<std::string>& lines_;
  size_t at_;
  const Schema schema_;
  std::unique_ptr<RowDecoder> decoder_;
  SplitContext context_;
};

class RowsSource final : public Source {
 public:
  RowsSource(ScanSpec scan, const std::vector<std::vector<std::string>>& splits)
      : scan_(std::move(scan)), splits_(splits) {}
  Result<std::vector<SourceSplit>> Splits() override {
    std::vector<SourceSplit> splits;
    for (size_t i = 0; i < splits_.size(); ++i) splits.push_back({std::to_string(i)});
    return splits;
  }
  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    const Schema schema = SourceReadSchema(scan_);
    const std::string format = scan_.table->options.GetString("format", "json");
    Config options;
    for (const auto& [key, value] : scan_.table->options.values()) {
      if (key.starts_with(format + ".")) options.Set(key.substr(format.size() + 1), value);
    }
    FormatContext context_of_format;
    for (const int column : SourceReadColumns(scan_)) {
      const std::string& key = scan_.table->columns[column].metadata_key;
      context_of_format.metadata_keys.push_back(key.starts_with("value.") ? key.substr(6) : "");
    }
    TM_ASSIGN_OR_RETURN(auto decoder, MakeRowDecoder(format, schema, options, context_of_format));
    const size_t number = std::stoul(split.id);
    decoder->SetOrigin(scan_.table->name, static_cast<int32_t>(number));
    return std::unique_ptr<SplitReader>(std::make_unique<RowsReader>(
        splits_[number], position ? std::stoul(*position) : 0, schema, std::move(decoder), std::move(context)));
  }
  bool bounded() const override { return true; }

 private:
  const ScanSpec scan_;
  const std::vector<std::vector<std::string>>& splits_;
};

class RowsWriter final : public SinkWriter {
 public:
  RowsWriter(CaseOutput& output, std::unique_ptr<RowEncoder> encoder, int subtask)
      : output_(output), encoder_(std::move(encoder)), subtask_(subtask) {}

  Status Write(Batch batch) override {
    std::string text;
    std::vector<size_t> ends;
    TM_RETURN_IF_ERROR(encoder_->Encode(batch, text, ends));
    static const char* kKinds[] = {"", "-U ", "+U ", "-D "};
    size_t from = 0;
    for (size_t row = 0; row < ends.size(); ++row) {
      const int kind =
          batch.row_kinds ? static_cast<const arrow::Int8Array&>(*batch.row_kinds).Value(static_cast<int64_t>(row)) : 0;
      rows_.push_back(kKinds[kind] + text.substr(from, ends[row] - from));
      from = ends[row];
    }
    return Status::OK();
  }
  Result<std::optional<std::string>> Prepare(int64_t epoch) override {
    if (rows_.empty()) return std::optional<std::string>("");
    std::lock_guard<std::mutex> lock(output_.mutex);
    std::string handle =
        std::to_string(epoch) + "/" + std::to_string(subtask_) + "/" + std::to_string(++output_.serial);
    output_.prepared[handle] = std::move(rows_);
    rows_.clear();
    return std::optional<std::string>(std::move(handle));
  }

 private:
  CaseOutput& output_;
  std::unique_ptr<RowEncoder> encoder_;
  const int subtask_;
  std::vector<std::string> rows_;
};

class RowsSink final : public Sink {
 public:
  RowsSink(CaseOutput& output, Schema schema) : output_(output), schema_(std::move(schema)) {}
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_ASSIGN_OR_RETURN(auto encoder, MakeJsonEncoder(schema_, Config()));
    return std::unique_ptr<SinkWriter>(std::make_unique<RowsWriter>(output_, std::move(encoder), context.subtask));
  }
  Status Commit(std::span<const std::string> handles) override {
    std::lock_guard<std::mutex> lock(output_.mutex);
    for (const std::string& handle : handles) {
      if (!output_.committed_handles.insert(handle).second) continue;
      std::vector<std::string>& rows = output_.prepared[handle];
      output_.rows.insert(output_.rows.end(), rows.begin(), rows.end());
      output_.prepared.erase(handle);
    }
    return Status::OK();
  }
  Status Recover(std::span<const std::string> handles) override {
    TM_RETURN_IF_ERROR(Commit(handles));
    std::lock_guard<std::mutex> lock(output_.mutex);
    output_.prepared.clear();
    return Status::OK();
  }

 private:
  CaseOutput& output_;
  const Schema schema_;
};

Schema PersistedSchema(const TableDefinition& table) {
  std::vector<Field> fields;
  for (const ColumnDefinition& column : table.columns) {
    if (column.kind == ColumnDefinition::Kind::kComputed || column.is_virtual) continue;
    fields.push_back({column.name, column.type});
  }
  return Schema(std::move(fields));
}

}  // namespace

class CaseEnvironment::Rejects final : public RejectSink {
 public:
  explicit Rejects(CaseEnvironment& environment) : environment_(environment) {}
  void Reject(RejectedRow row) override {
    std::lock_guard<std::mutex> lock(environment_.mutex_);
    const std::string reason = RejectReasonName(row.reason);
    ++environment_.rejected_[reason];
    environment_.examples_.try_emplace(reason, row.source + " " + row.field + ": " + row.detail + " in " + row.raw);
  }

 private:
  CaseEnvironment& environment_;
};

CaseEnvironment::CaseEnvironment(const Inputs& inputs, JobEnvironment& others, const Clock& clock)
    : inputs_(inputs), others_(others), clock_(clock) {}

Result<std::unique_ptr<Source>> CaseEnvironment::MakeSource(const ScanSpec& scan) {
  if (scan.table->connector() != "rows") return others_.MakeSource(scan);
  static const std::vector<std::vector<std::string>> kEmpty;
  const auto found = inputs_.find(scan.table->name);
  return std::unique_ptr<Source>(std::make_unique<RowsSource>(scan, found == inputs_.end() ? kEmpty : found->second));
}

Result<std::unique_ptr<Sink>> CaseEnvironment::MakeSink(const SinkSpec& sink) {
  if (sink.table->connector() != "rows") return others_.MakeSink(sink);
  return MakeRowsSink(sink.table->name, PersistedSchema(*sink.table));
}

std::unique_ptr<Sink> CaseEnvironment::MakeRowsSink(const std::string& name, const Schema& schema) {
  return std::make_unique<RowsSink>(outputs_[name], schema);
}

Result<std::unique_ptr<Journal>> CaseEnvironment::MakeJournal(const std::string& operator_name, int subtask) {
  return journals_ != nullptr ? journals_->MakeJournal(operator_name, subtask)
                              : others_.MakeJournal(operator_name, subtask);
}

std::unique_ptr<RejectSink> CaseEnvironment::MakeRejectSink(const std::string&) {
  return std::make_unique<Rejects>(*this);
}

std::map<std::string, int> CaseEnvironment::rejected() {
  std::lock_guard<std::mutex> lock(mutex_);
  return rejected_;
}

std::string CaseEnvironment::reject_examples() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const auto& [reason, example] : examples_) text += reason + ": " + example + "\n";
  return text;
}

Status CasePlannerEnvironment::ValidateTable(const TableDefinition& table, bool as_source, bool as_sink) {
  return table.connector() == "rows" ? Status::OK() : others_.ValidateTable(table, as_source, as_sink);
}

bool CasePlannerEnvironment::HoldsChanges(const TableDefinition& table) {
  if (table.connector() != "rows") return others_.HoldsChanges(table);
  return IsChangelogFormat(table.options.GetString("format", "json"));
}

std::vector<std::string> CasePlannerEnvironment::connectors() const {
  std::vector<std::string> names = others_.connectors();
  names.push_back("rows");
  return names;
}

}  // namespace tidemill
