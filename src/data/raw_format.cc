#include <cstring>

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include "data/errors.h"
#include "data/format.h"
#include "data/internal/column_writer.h"
#include "data/internal/format_options.h"
#include "data/internal/json_reader.h"
#include "data/internal/utf8.h"

namespace tidemill {
namespace {

// Bytes of the one column's fixed-width form; 0 for text and bytes, -1 for what the format doesn't have.
int RawWidth(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
      return 2;
    case TypeKind::kInt:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kBigInt:
    case TypeKind::kDouble:
      return 8;
    case TypeKind::kString:
    case TypeKind::kBytes:
      return 0;
    default:
      return -1;
  }
}

Status CheckRawSchema(const Schema& schema) {
  if (schema.num_fields() > 1) {
    return Status(kUnsupportedType, "format 'raw' is for one column, found " + std::to_string(schema.num_fields()));
  }
  if (schema.num_fields() == 1 && RawWidth(schema.field(0).type) < 0) {
    return Status(kUnsupportedType,
                  "column '" + schema.field(0).name + "': format 'raw' has no " + schema.field(0).type.ToString());
  }
  return Status::OK();
}

class RawDecoder final : public RowDecoder {
 public:
  RawDecoder(Schema schema, RawOptions options) : schema_(std::move(schema)), options_(options) {
    if (schema_.num_fields() == 1) writers_.emplace_back(schema_.field(0).type);
  }

  Result<Output> Decode(std::span<const EncodedRow> input, RejectSink& rejects) override {
    Output output;
    int64_t rows = 0;
    for (ColumnWriter& writer : writers_) TM_RETURN_IF_ERROR(writer.Reserve(static_cast<int64_t>(input.size())));
    for (size_t i = 0; i < input.size(); ++i) {
      for (ColumnWriter& writer : writers_) {
        TM_ASSIGN_OR_RETURN(const bool good, Read(writer, rows, input[i], rejects));
        if (!good) goto next;
      }
      ++rows;
      output.input_index.push_back(static_cast<int32_t>(i));
    next:;
    }
    arrow::ArrayVector columns;
    for (ColumnWriter& writer : writers_) {
      TM_ASSIGN_OR_RETURN(auto column, writer.Finish(rows));
      columns.push_back(std::move(column));
    }
    output.rows = arrow::RecordBatch::Make(schema_.arrow(), rows, std::move(columns));
    return output;
  }

 private:
  Result<bool> Read(ColumnWriter& writer, int64_t row, const EncodedRow& input, RejectSink& rejects) {
    const int width = RawWidth(writer.type());
    const auto reject = [&](RejectReason reason, std::string detail) {
      RejectedRow rejected{.reason = reason, .source = source_, .partition = partition_, .offset = input.offset};
      rejected.field = schema_.field(0).name;
      rejected.detail = std::move(detail);
      rejected.raw = std::string(input.bytes.substr(0, kRejectRawBytesMax));
      rejects.Reject(std::move(rejected));
      return false;
    };
    if (width == 0) {
      if (writer.kind() == TypeKind::kString && !IsValidUtf8(input.bytes)) {
        return reject(RejectReason::kInvalidUtf8, "the message is not valid UTF-8");
      }
      TM_RETURN_IF_ERROR(writer.SetBytes(row, input.bytes));
      return true;
    }
    if (input.bytes.size() != static_cast<size_t>(width)) {
      return reject(RejectReason::kWrongType,
                    "expected " + std::to_string(width) + " bytes, found " + std::to_string(input.bytes.size()));
    }
    uint64_t word = 0;
    for (int b = 0; b < width; ++b) {
      const int from = options_.big_endian ? b : width - 1 - b;
      word = (word << 8) | static_cast<uint8_t>(input.bytes[static_cast<size_t>(from)]);
    }
    switch (writer.kind()) {
      case TypeKind::kBoolean:
        writer.SetBoolean(row, word != 0);
        break;
      case TypeKind::kTinyInt:
        TM_CHECK(writer.SetInteger(row, static_cast<int8_t>(word)) == Conversion::kOk);
        break;
      case TypeKind::kSmallInt:
        TM_CHECK(writer.SetInteger(row, static_cast<int16_t>(word)) == Conversion::kOk);
        break;
      case TypeKind::kInt:
      case TypeKind::kFloat:
        writer.SetRaw4(row, static_cast<int32_t>(word));
        break;
      default:
        writer.SetRaw8(row, static_cast<int64_t>(word));
        break;
    }
    return true;
  }

  Schema schema_;
  RawOptions options_;
  std::vector<ColumnWriter> writers_;
};

// A NULL is an empty message.
class RawEncoder final : public RowEncoder {
 public:
  RawEncoder(Schema schema, RawOptions options) : schema_(std::move(schema)), options_(options) {}

  Status Encode(const Batch& batch, std::string& out, std::vector<size_t>& ends) override {
    ends.clear();
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (batch.rows->num_columns() == 1 && batch.rows->column(0)->IsValid(row))
        Append(*batch.rows->column(0), row, out);
      ends.push_back(out.size());
    }
    return Status::OK();
  }

 private:
  void Append(const arrow::Array& column, int64_t row, std::string& out) {
    const int width = RawWidth(schema_.field(0).type);
    if (width == 0) {
      out += static_cast<const arrow::BinaryArray&>(column).GetView(row);
      return;
    }
    char bytes[8] = {};
    if (column.type_id() == arrow::Type::BOOL) {
      bytes[0] = static_cast<const arrow::BooleanArray&>(column).Value(row) ? 1 : 0;
    } else {
      std::memcpy(bytes, column.data()->buffers[1]->data() + (column.offset() + row) * width,
                  static_cast<size_t>(width));
    }
    for (int b = 0; b < width; ++b) out += bytes[options_.big_endian ? width - 1 - b : b];
  }

  Schema schema_;
  RawOptions options_;
};

}  // namespace

Result<std::unique_ptr<RowDecoder>> MakeRawDecoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(const RawOptions parsed, ParseRawOptions(options));
  TM_RETURN_IF_ERROR(CheckRawSchema(schema));
  std::unique_ptr<RowDecoder> decoder = std::make_unique<RawDecoder>(schema, parsed);
  return decoder;
}

Result<std::unique_ptr<RowEncoder>> MakeRawEncoder(const Schema& schema, const Config& options) {
  TM_ASSIGN_OR_RETURN(const RawOptions parsed, ParseRawOptions(options));
  TM_RETURN_IF_ERROR(CheckRawSchema(schema));
  std::unique_ptr<RowEncoder> encoder = std::make_unique<RawEncoder>(schema, parsed);
  return encoder;
}

}  // namespace tidemill
