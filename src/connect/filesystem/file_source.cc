#include "connect/filesystem/file_source.h"

#include <algorithm>
#include <charconv>

#include <arrow/record_batch.h>

#include "connect/errors.h"
#include "connect/filesystem/file_columns.h"
#include "connect/filesystem/line_reader.h"
#include "data/format.h"
#include "data/parquet_reader.h"

namespace tidemill {
namespace {

// "12:34:5" -> {12, 34, 5}.
Result<std::vector<int64_t>> ParsePosition(std::string_view text, size_t count) {
  std::vector<int64_t> out;
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p <= end && out.size() < count) {
    int64_t value = 0;
    const auto [rest, error] = std::from_chars(p, end, value);
    if (error != std::errc() || (rest != end && *rest != ':')) break;
    out.push_back(value);
    p = rest + 1;
  }
  if (out.size() != count || p != end + 1)
    return Status(kInternalError, "bad position '" + std::string(text) + "' of a file");
  return out;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether a CSV file's first record names columns: all of the table's are in it, or all of its fields are columns of
// the table.
bool LooksLikeHeader(const std::vector<std::string>& fields, const std::vector<std::string>& columns) {
  const bool all_columns =
      std::all_of(columns.begin(), columns.end(), [&](const std::string& name) { return Contains(fields, name); });
  const bool all_fields =
      std::all_of(fields.begin(), fields.end(), [&](const std::string& name) { return Contains(columns, name); });
  return !columns.empty() && (all_columns || all_fields);
}

LineReader::Options LineOptions(std::string_view format, const Config& options) {
  LineReader::Options out;
  out.line_bytes_max = *options.GetBytes("message-bytes-max", out.line_bytes_max);  // checked when the table was
  if (format != "csv") return out;
  const auto one = [&options](const char* key, char fallback) {
    const std::string text = options.GetString(key, std::string(1, fallback));
    if (text == "\\t" || text == "\\u0009") return '\t';
    return text.empty() ? fallback : text[0];
  };
  out.delimiter = one("field-delimiter", ',');
  if (options.GetString("disable-quote-character", "false") != "true") out.quote = one("quote-character", '"');
  if (options.Has("escape-character")) out.escape = one("escape-character", '\\');
  return out;
}

struct CsvLayout {
  std::vector<std::string> columns;  // of a record
  LinePosition start;                // of the first record that is data
};

// Reads the header of a CSV file, when it has one.
Result<CsvLayout> ReadCsvLayout(FileSystem& fs, const std::string& path, const Config& options,
                                const std::vector<std::string>& content_names) {
  CsvLayout layout{content_names, {}};
  const std::string header = options.GetString("header", "auto");
  if (header == "false") return layout;
  TM_ASSIGN_OR_RETURN(auto stream, OpenByteStream(fs, path));
  LineReader reader(std::move(stream), LineOptions("csv", options));
  std::vector<Line> lines;
  const bool comments = options.GetString("allow-comments", "false") == "true";
  do {
    TM_RETURN_IF_ERROR(reader.Read(1, lines));
  } while (comments && !lines.empty() && lines[0].bytes.starts_with('#'));
  if (lines.empty()) return layout;
  auto fields = SplitCsvRecord(lines[0].bytes, options);
  if (!fields.ok()) {
    if (header == "true") return fields.status().WithContext("'" + path + "', header");
    return layout;
  }
  if (header == "auto" && !LooksLikeHeader(*fields, content_names)) return layout;
  layout.columns = *std::move(fields);
  layout.start = reader.position();
  return layout;
}

Status MissingCsvColumn(const std::string& path, const std::string& column, const std::vector<std::string>& columns) {
  Status status(kMissingColumn, "'" + path + "' has no column '" + column + "'");
  const std::string nearest = NearestName(column, columns);
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  std::string list;
  for (const std::string& name : columns) list += (list.empty() ? "" : ", ") + name;
  return status.WithNote("columns: " + list);
}

// Position text: "byte:line:rows", the start of the next line and how many of its rows (a JSON array has several) were
// given out.
class TextSplitReader final : public SplitReader {
 public:
  TextSplitReader(LineReader lines, std::unique_ptr<RowDecoder> decoder, FileRowAssembler assembler, int64_t skip_rows,
                  SplitContext context)
      : lines_(std::move(lines)),
        decoder_(std::move(decoder)),
        assembler_(std::move(assembler)),
        skip_rows_(skip_rows),
        context_(std::move(context)) {}

  Result<ReadOutcome> Read(int rows_max) override {
    rows_max = std::min(rows_max, kBatchRowsMax);
    if (given_ == decoded_.input_index.size()) TM_RETURN_IF_ERROR(DecodeLines(rows_max));
    ReadOutcome outcome;
    const size_t n = std::min(decoded_.input_index.size() - given_, static_cast<size_t>(rows_max));
    if (n > 0)
      outcome.batch = assembler_.Assemble(decoded_.rows->Slice(static_cast<int64_t>(given_), static_cast<int64_t>(n)));
    given_ += n;
    outcome.position = PositionText();
    outcome.ended = given_ == decoded_.input_index.size() && lines_.at_end();
    return outcome;
  }

 private:
  Status DecodeLines(int lines_max) {
    TM_RETURN_IF_ERROR(lines_.Read(lines_max, read_));
    rows_.clear();
    for (const Line& line : read_) rows_.push_back({line.bytes, line.start.line});
    TM_ASSIGN_OR_RETURN(decoded_, decoder_->Decode(rows_, *context_.rejects));
    given_ = static_cast<size_t>(std::min<int64_t>(skip_rows_, static_cast<int64_t>(decoded_.input_index.size())));
    skip_rows_ = 0;
    return Status::OK();
  }

  std::string PositionText() const {
    LinePosition at = lines_.position();
    int64_t rows = 0;
    if (given_ < decoded_.input_index.size()) {
      const int32_t line = decoded_.input_index[given_];
      at = read_[static_cast<size_t>(line)].start;
      for (size_t i = given_; i > 0 && decoded_.input_index[i - 1] == line; --i) ++rows;
    }
    return std::to_string(at.byte) + ":" + std::to_string(at.line) + ":" + std::to_string(rows);
  }

  LineReader lines_;
  std::unique_ptr<RowDecoder> decoder_;
  FileRowAssembler assembler_;
  int64_t skip_rows_;
  SplitContext context_;
  std::vector<Line> read_;
  std::vector<EncodedRow> rows_;
  RowDecoder::Output decoded_;
  size_t given_ = 0;  // rows of decoded_
};

// Position text: "row group:row".
class ParquetSplitReader final : public SplitReader {
 public:
  ParquetSplitReader(std::unique_ptr<ParquetReader> reader, FileRowAssembler assembler, SplitContext context)
      : reader_(std::move(reader)), assembler_(std::move(assembler)), context_(std::move(context)) {}

  Result<ReadOutcome> Read(int rows_max) override {
    ReadOutcome outcome;
    TM_ASSIGN_OR_RETURN(auto batch, reader_->Read(rows_max, *context_.rejects));
    if (batch && batch->num_rows() > 0) outcome.batch = assembler_.Assemble(batch->rows);
    const ParquetPosition position = reader_->position();
    outcome.position = std::to_string(position.row_group) + ":" + std::to_string(position.row);
    outcome.ended = !batch || reader_->rows_before() == reader_->num_rows();
    return outcome;
  }

  int64_t LagRecords() const override { return reader_->num_rows() - reader_->rows_before(); }

 private:
  std::unique_ptr<ParquetReader> reader_;
  FileRowAssembler assembler_;
  SplitContext context_;
};

Result<std::string> FormatOfFile(const FileTableOptions& options, const std::string& path) {
  if (!options.format.empty()) return options.format;
  auto format = FormatOfPath(path);
  if (!format) {
    return Status(kMissingOption, "the format of '" + path + "' can't be told from its name; set 'format'")
        .WithNote("known extensions: .json .jsonl .ndjson .csv .txt (and .gz of these), .parquet");
  }
  if (*format == "parquet" && IsGzipPath(path))
    return Status(kInvalidOption, "'" + path + "': Parquet is not read through gzip");
  return *format;
}

class FileSource final : public Source {
 public:
  FileSource(const ScanSpec& scan, FileTableOptions options, FileSystem& fs)
      : table_(scan.table), options_(std::move(options)), columns_(FileColumns::Of(scan)), fs_(fs) {}

  Result<std::vector<SourceSplit>> Splits() override {
    TM_ASSIGN_OR_RETURN(const auto files, FindFiles(fs_, options_.path));
    std::vector<SourceSplit> splits;
    for (const FileInfo& file : files) splits.push_back({file.path});
    return splits;
  }

  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override {
    TM_ASSIGN_OR_RETURN(const FileInfo file, fs_.Stat(split.id));
    TM_ASSIGN_OR_RETURN(const std::string format, FormatOfFile(options_, file.path));
    TM_ASSIGN_OR_RETURN(auto assembler, FileRowAssembler::Make(columns_, *table_, options_, file));
    std::unique_ptr<SplitReader> out;
    if (format == "parquet") {
      TM_ASSIGN_OR_RETURN(auto reader, ParquetReader::Open(fs_, file.path, columns_.content_schema));
      if (position) {
        TM_ASSIGN_OR_RETURN(const auto numbers, ParsePosition(*position, 2));
        TM_RETURN_IF_ERROR(reader->Seek({static_cast<int>(numbers[0]), numbers[1]}));
      }
      out = std::make_unique<ParquetSplitReader>(std::move(reader), std::move(assembler), std::move(context));
      return out;
    }
    const Config format_options = options_.FormatOptions(format);
    LinePosition start;
    int64_t skip_rows = 0;
    std::unique_ptr<RowDecoder> decoder;
    if (format == "csv") {
      TM_ASSIGN_OR_RETURN(const CsvLayout layout,
                          ReadCsvLayout(fs_, file.path, format_options, columns_.content_names));
      for (const Field& field : columns_.content_schema.fields()) {
        if (!Contains(layout.columns, field.name)) return MissingCsvColumn(file.path, field.name, layout.columns);
      }
      start = layout.start;
      TM_ASSIGN_OR_RETURN(decoder, MakeCsvDecoder(columns_.content_schema, format_options, layout.columns));
    } else {
      TM_ASSIGN_OR_RETURN(decoder, MakeRowDecoder(format, columns_.content_schema, format_options));
    }
    if (position) {
      TM_ASSIGN_OR_RETURN(const auto numbers, ParsePosition(*position, 3));
      start = {numbers[0], numbers[1]};
      skip_rows = numbers[2];
    }
    TM_ASSIGN_OR_RETURN(auto stream, OpenByteStream(fs_, file.path));
    LineReader lines(std::move(stream), LineOptions(format, format_options));
    const Status seek = lines.Seek(start);
    if (!seek.ok()) return seek.WithContext("'" + file.path + "'");
    decoder->SetOrigin(file.path, 0);
    out = std::make_unique<TextSplitReader>(std::move(lines), std::move(decoder), std::move(assembler), skip_rows,
                                            std::move(context));
    return out;
  }

  bool bounded() const override { return true; }

 private:
  TablePtr table_;
  FileTableOptions options_;
  FileColumns columns_;
  FileSystem& fs_;
};

}  // namespace

Result<std::unique_ptr<Source>> MakeFileSource(const ScanSpec& scan, const ConnectorContext& context) {
  if (context.files == nullptr) return Status(kInvalidConfig, "table '" + scan.table->name + "' needs a file system");
  TM_ASSIGN_OR_RETURN(FileTableOptions options, ParseFileTableOptions(*scan.table, scan.options));
  std::unique_ptr<Source> source = std::make_unique<FileSource>(scan, std::move(options), *context.files);
  return source;
}

Status CheckFileSource(const TableDefinition& table, const FileTableOptions& options, FileSystem& fs) {
  TM_ASSIGN_OR_RETURN(const auto files, FindFiles(fs, options.path));
  TM_ASSIGN_OR_RETURN(const std::string format, FormatOfFile(options, files[0].path));
  if (format != "parquet") TM_RETURN_IF_ERROR(ValidateFormatOptions(format, options.FormatOptions(format)));
  std::vector<Field> fields;
  std::vector<std::string> names;
  for (const ColumnDefinition& column : table.columns) {
    if (column.kind != ColumnDefinition::Kind::kPhysical || Contains(table.partitioned_by, column.name)) continue;
    fields.push_back({column.name, column.type});
    names.push_back(column.name);
  }
  if (format == "parquet") return ParquetReader::Open(fs, files[0].path, Schema(std::move(fields))).status();
  if (format != "csv") return MakeRowDecoder(format, Schema(std::move(fields)), options.FormatOptions(format)).status();
  TM_ASSIGN_OR_RETURN(const CsvLayout layout, ReadCsvLayout(fs, files[0].path, options.FormatOptions(format), names));
  for (const std::string& name : names) {
    if (!Contains(layout.columns, name)) return MissingCsvColumn(files[0].path, name, layout.columns);
  }
  return MakeCsvDecoder(Schema(std::move(fields)), options.FormatOptions(format), layout.columns).status();
}

}  // namespace tidemill
