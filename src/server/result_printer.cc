#include "server/result_printer.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "base/errors.h"
#include "data/format.h"
#include "function/scalar_function.h"

namespace tidemill {
namespace {

constexpr size_t kBlockRowsMax = 1000;
constexpr int64_t kRemainingMax = 1'000'000;
constexpr int64_t kBlockAgeNs = 300'000'000;

bool IsNested(TypeKind kind) { return kind >= TypeKind::kArray; }

// One column as JSON values: encoded as objects {"v":...}, then unwrapped.
Result<std::vector<std::string>> NestedTexts(const DataType& type, const std::shared_ptr<arrow::Array>& column) {
  const Schema schema({Field{"v", type}});
  TM_ASSIGN_OR_RETURN(auto encoder, MakeJsonEncoder(schema, Config()));
  Batch batch{arrow::RecordBatch::Make(schema.arrow(), column->length(), {column}), nullptr, 0};
  std::string bytes;
  std::vector<size_t> ends;
  TM_RETURN_IF_ERROR(encoder->Encode(batch, bytes, ends));
  std::vector<std::string> texts;
  size_t start = 0;
  constexpr size_t kHead = 5;  // {"v":
  for (size_t end : ends) {
    texts.push_back(end - start > kHead + 1 ? bytes.substr(start + kHead, end - start - kHead - 1) : "NULL");
    start = end;
  }
  return texts;
}

std::string HexText(std::string_view bytes) {
  std::string out = "x'";
  for (char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out + "'";
}

const char* OpText(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert:
      return "+I";
    case RowKind::kUpdateBefore:
      return "-U";
    case RowKind::kUpdateAfter:
      return "+U";
    case RowKind::kDelete:
      break;
  }
  return "-D";
}

RowKind KindOf(const Batch& batch, int64_t row) {
  if (!batch.row_kinds) return RowKind::kInsert;
  return static_cast<RowKind>(static_cast<const arrow::Int8Array&>(*batch.row_kinds).Value(row));
}

Result<std::vector<Cell>> ColumnCells(const DataType& type, const std::shared_ptr<arrow::Array>& column,
                                      const Clock& clock, const std::string& time_zone) {
  std::vector<Cell> cells;
  cells.reserve(static_cast<size_t>(column->length()));
  const auto add = [&](int64_t row, std::string text) {
    if (column->IsNull(row)) {
      cells.push_back(Cell::Null());
    } else if (type.IsNumeric()) {
      cells.push_back(Cell::Number(std::move(text)));
    } else if (type.kind() == TypeKind::kBoolean) {
      cells.emplace_back(text == "TRUE" || text == "true");
    } else {
      cells.emplace_back(std::move(text));
    }
  };
  if (type.kind() == TypeKind::kNull) return std::vector<Cell>(static_cast<size_t>(column->length()), Cell::Null());
  if (type.kind() == TypeKind::kBytes) {
    const auto& bytes = static_cast<const arrow::BinaryArray&>(*column);
    for (int64_t i = 0; i < column->length(); ++i) add(i, column->IsNull(i) ? "" : HexText(bytes.GetView(i)));
    return cells;
  }
  if (IsNested(type.kind())) {
    TM_ASSIGN_OR_RETURN(std::vector<std::string> texts, NestedTexts(type, column));
    for (int64_t i = 0; i < column->length(); ++i) add(i, std::move(texts[static_cast<size_t>(i)]));
    return cells;
  }
  std::shared_ptr<arrow::Array> text = column;
  if (type.kind() != TypeKind::kString) {
    EvalContext context(column->length(), clock, time_zone);
    TM_ASSIGN_OR_RETURN(arrow::Datum cast,
                        CastDatum(context, arrow::Datum(column), type, DataType(TypeKind::kString), true));
    text = cast.make_array();
  }
  const auto& strings = static_cast<const arrow::StringArray&>(*text);
  for (int64_t i = 0; i < column->length(); ++i) add(i, strings.IsNull(i) ? "" : std::string(strings.GetView(i)));
  return cells;
}

class ResultSinkWriter final : public SinkWriter {
 public:
  explicit ResultSinkWriter(std::shared_ptr<ResultPrinter> printer) : printer_(std::move(printer)) {}
  Status Write(Batch batch) override { return printer_->Add(batch); }
  Result<std::optional<std::string>> Prepare(int64_t) override { return std::optional<std::string>(""); }

 private:
  std::shared_ptr<ResultPrinter> printer_;
};

class ResultSink final : public Sink {
 public:
  explicit ResultSink(std::shared_ptr<ResultPrinter> printer) : printer_(std::move(printer)) {}
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<ResultSinkWriter>(printer_));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return Status::OK(); }

 private:
  std::shared_ptr<ResultPrinter> printer_;
};

}  // namespace

Result<std::vector<std::vector<Cell>>> BatchCells(const Schema& schema, const Batch& batch, const Clock& clock,
                                                  const std::string& time_zone) {
  std::vector<std::vector<Cell>> rows(static_cast<size_t>(batch.num_rows()));
  for (int i = 0; i < schema.num_fields(); ++i) {
    TM_ASSIGN_OR_RETURN(std::vector<Cell> cells,
                        ColumnCells(schema.field(i).type, batch.rows->column(i), clock, time_zone));
    for (size_t row = 0; row < rows.size(); ++row) rows[row].push_back(std::move(cells[row]));
  }
  return rows;
}

ResultPrinter::ResultPrinter(Options options, Console& console, const Clock& clock)
    : options_(std::move(options)),
      shows_op_(options_.changelog && !options_.bounded),
      console_(console),
      clock_(clock) {}
ResultPrinter::~ResultPrinter() = default;

Status ResultPrinter::Add(const Batch& given) {
  std::lock_guard lock(mutex_);
  if (options_.changelog && options_.bounded) return AddChanges(given);
  Batch batch = given;
  if (options_.rows_max >= 0) {
    const int64_t room = std::max<int64_t>(0, options_.rows_max - rows_);
    if (room == 0) return Status::OK();
    if (batch.num_rows() > room) batch = batch.Slice(0, room);
  }
  rows_ += batch.num_rows();
  if (closed_) return Status::OK();
  if (options_.format == OutputFormat::kJson) return PrintJson(batch);
  TM_ASSIGN_OR_RETURN(auto rows, BatchCells(options_.schema, batch, clock_, options_.time_zone));
  if (block_.empty()) block_since_ns_ = clock_.MonotonicNanos();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (shows_op_) rows[i].insert(rows[i].begin(), Cell(OpText(KindOf(batch, static_cast<int64_t>(i)))));
    block_.push_back(std::move(rows[i]));
  }
  if (options_.format == OutputFormat::kCsv || block_.size() >= kBlockRowsMax) return PrintBlock();
  return Status::OK();
}

Status ResultPrinter::PrintJson(const Batch& batch) {
  if (!json_) {
    TM_ASSIGN_OR_RETURN(json_, MakeJsonEncoder(options_.schema, Config()));
  }
  std::string bytes;
  std::vector<size_t> ends;
  TM_RETURN_IF_ERROR(json_->Encode(batch, bytes, ends));
  std::string out;
  size_t start = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    std::string_view row = std::string_view(bytes).substr(start, ends[i] - start);
    if (options_.changelog) {
      out +=
          fmt::format("{{\"op\":\"{}\"{}", OpText(KindOf(batch, static_cast<int64_t>(i))), row.size() > 2 ? "," : "");
      row.remove_prefix(1);
    }
    out += row;
    out += '\n';
    start = ends[i];
  }
  closed_ = !console_.Print(out);
  return Status::OK();
}

// Adds and takes back rows; what is equal as text is the same row.
Status ResultPrinter::AddChanges(const Batch& batch) {
  std::vector<std::vector<Cell>> rows;
  std::string json;
  std::vector<size_t> ends;
  if (options_.format == OutputFormat::kJson) {
    if (!json_) {
      TM_ASSIGN_OR_RETURN(json_, MakeJsonEncoder(options_.schema, Config()));
    }
    TM_RETURN_IF_ERROR(json_->Encode(batch, json, ends));
  } else {
    TM_ASSIGN_OR_RETURN(rows, BatchCells(options_.schema, batch, clock_, options_.time_zone));
  }
  size_t start = 0;
  for (size_t i = 0; i < static_cast<size_t>(batch.num_rows()); ++i) {
    std::string key;
    if (options_.format == OutputFormat::kJson) {
      key = json.substr(start, ends[i] - start);
      start = ends[i];
    } else {
      for (const Cell& cell : rows[i])
        key += fmt::format("{}{}:{}", static_cast<int>(cell.kind), cell.text.size(), cell.text);
    }
    const RowKind kind = KindOf(batch, static_cast<int64_t>(i));
    Remaining& row = remaining_[key];
    row.count += kind == RowKind::kInsert || kind == RowKind::kUpdateAfter ? 1 : -1;
    row.added = ++added_;
    if (row.count == 0) {
      remaining_.erase(key);
      continue;
    }
    if (!rows.empty()) row.cells = std::move(rows[i]);
    if (options_.format == OutputFormat::kJson) row.json = std::move(key);
  }
  if (static_cast<int64_t>(remaining_.size()) <= kRemainingMax) return Status::OK();
  return Status(kLimitExceeded, fmt::format("the result has more than {} rows", WithThousands(kRemainingMax)))
      .WithHint("INSERT it into a table with a PRIMARY KEY");
}

Status ResultPrinter::PrintRemaining() {
  std::vector<Remaining*> order;
  for (auto& [key, row] : remaining_) order.push_back(&row);
  std::sort(order.begin(), order.end(), [](const Remaining* a, const Remaining* b) { return a->added < b->added; });
  std::string lines;
  for (Remaining* row : order) {
    for (int64_t i = 0; i < row->count && (options_.rows_max < 0 || rows_ < options_.rows_max); ++i, ++rows_) {
      if (options_.format == OutputFormat::kJson) {
        lines += row->json + "\n";
      } else {
        block_.push_back(row->cells);
      }
    }
  }
  remaining_.clear();
  if (!lines.empty()) closed_ = !console_.Print(lines);
  return Status::OK();
}

Status ResultPrinter::PrintBlock() {
  std::vector<std::string> names = options_.schema.names();
  if (shows_op_) names.insert(names.begin(), "op");
  std::string out;
  if (options_.format == OutputFormat::kCsv) {
    Listing listing{names, std::move(block_)};
    block_.clear();
    out = FormatListing(listing, OutputFormat::kCsv);
    if (header_shown_) out.erase(0, out.find('\n') + 1);
    header_shown_ = true;
    closed_ = !console_.Print(out);
    return Status::OK();
  }
  std::vector<bool> right(names.size(), false);
  for (size_t i = 0; i < names.size(); ++i) {
    const int field = static_cast<int>(i) - (shows_op_ ? 1 : 0);
    right[i] = field >= 0 && options_.schema.field(field).type.IsNumeric();
  }
  widths_.resize(names.size());
  for (size_t i = 0; i < names.size(); ++i) widths_[i] = std::max(widths_[i], DisplayWidth(names[i]));
  for (auto& row : block_) {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i].text = PrintableText(row[i].text);
      widths_[i] = std::max(widths_[i], DisplayWidth(row[i].text));
    }
  }
  const auto append = [&](size_t i, std::string_view text) {
    out += i == 0 ? " " : " | ";
    AppendPadded(text, widths_[i], right[i], out);
  };
  const auto end_line = [&] {
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  if (!header_shown_) {
    for (size_t i = 0; i < names.size(); ++i) append(i, names[i]);
    end_line();
    for (size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "-" : "-+-") + std::string(widths_[i], '-');
    out += "-\n";
    header_shown_ = true;
  }
  for (const auto& row : block_) {
    for (size_t i = 0; i < row.size(); ++i) append(i, row[i].text);
    end_line();
  }
  block_.clear();
  closed_ = !console_.Print(out);
  return Status::OK();
}

Status ResultPrinter::Tick() {
  std::lock_guard lock(mutex_);
  if (block_.empty() || clock_.MonotonicNanos() - block_since_ns_ < kBlockAgeNs) return Status::OK();
  return PrintBlock();
}

Status ResultPrinter::Finish() {
  std::lock_guard lock(mutex_);
  TM_RETURN_IF_ERROR(PrintRemaining());
  if (options_.format == OutputFormat::kJson) return Status::OK();
  if (!block_.empty() || !header_shown_) TM_RETURN_IF_ERROR(PrintBlock());
  if (options_.format == OutputFormat::kText)
    console_.Print(fmt::format("({} row{})\n", WithThousands(rows_), rows_ == 1 ? "" : "s"));
  return Status::OK();
}

int64_t ResultPrinter::rows() const {
  std::lock_guard lock(mutex_);
  return rows_;
}

bool ResultPrinter::is_full() const {
  std::lock_guard lock(mutex_);
  if (options_.changelog && options_.bounded) return false;
  return closed_ || (options_.rows_max >= 0 && rows_ >= options_.rows_max);
}

std::shared_ptr<Sink> MakeResultSink(std::shared_ptr<ResultPrinter> printer) {
  return std::make_shared<ResultSink>(std::move(printer));
}

}  // namespace tidemill
