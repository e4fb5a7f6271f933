// Formats and keys over 500,000 card transactions of six columns: encoding to and decoding from JSON (and Debezium's
// changes in it), CSV, Avro and Protobuf, writing and reading Parquet, encoding keys.
//
// One iteration handles all rows once, in batches of 8,192. Peers in the same run: Arrow's CSV reader and writer,
// Arrow's Parquet reader (both with one thread), nlohmann's JSON writer, std::hash over strings built per row for keys.
// Prints the median of the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <arrow/api.h>
#include <arrow/csv/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/writer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <nlohmann/json.hpp>
#include <parquet/arrow/reader.h>

#include "base/file_system.h"
#include "base/random.h"
#include "data/format.h"
#include "data/key_encoder.h"
#include "data/parquet_reader.h"
#include "data/parquet_writer.h"
#include "data/protobuf/protobuf_schema.h"

namespace {

using tidemill::Batch;
using tidemill::DataType;
using tidemill::Schema;
using tidemill::TypeKind;

constexpr int kRows = 500'000;
constexpr int kRounds = 5;

const Schema& EventSchema() {
  static const Schema kSchema({{"transaction_id", DataType(TypeKind::kBigInt, false)},
                               {"tx_time", DataType::Timestamp(3, false)},
                               {"customer_id", DataType(TypeKind::kBigInt, false)},
                               {"terminal_id", DataType(TypeKind::kBigInt, false)},
                               {"amount", DataType(TypeKind::kDouble, false)},
                               {"merchant", DataType(TypeKind::kString, false)}});
  return kSchema;
}

template <typename T>
T Must(tidemill::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    std::abort();
  }
  return *std::move(result);
}
void Must(const tidemill::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::abort();
  }
}

std::vector<Batch> MakeBatches() {
  tidemill::Random random(11);
  std::vector<Batch> batches;
  for (int at = 0; at < kRows; at += tidemill::kBatchRowsMax) {
    const int n = std::min(tidemill::kBatchRowsMax, kRows - at);
    arrow::Int64Builder ids, customers, terminals;
    arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
    arrow::DoubleBuilder amounts;
    arrow::StringBuilder merchants;
    for (int i = 0; i < n; ++i) {
      (void)ids.Append(at + i);
      (void)times.Append(1'522'540'800'000 + int64_t{at + i} * 9'000 + static_cast<int64_t>(random.Uniform(1000)));
      (void)customers.Append(static_cast<int64_t>(random.Uniform(5000)));
      (void)terminals.Append(static_cast<int64_t>(random.Uniform(10000)));
      (void)amounts.Append(static_cast<double>(random.Uniform(50000)) / 100);
      (void)merchants.Append("Merchant " + std::to_string(random.Uniform(100000)) + " GmbH");
    }
    batches.push_back({arrow::RecordBatch::Make(EventSchema().arrow(), n,
                                                {*ids.Finish(), *times.Finish(), *customers.Finish(),
                                                 *terminals.Finish(), *amounts.Finish(), *merchants.Finish()}),
                       nullptr, 0});
  }
  return batches;
}

double MedianSeconds(const std::function<void()>& work) {
  work();
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

void Print(const char* name, double seconds, double bytes, double peer_seconds, const char* peer) {
  std::printf("%-26s %7.2f M rows/s %6.0f MB/s", name, kRows / seconds / 1e6, bytes / seconds / 1e6);
  if (peer_seconds > 0)
    std::printf("   %-34s %6.2f M rows/s, ours is %.2f x", peer, kRows / peer_seconds / 1e6, peer_seconds / seconds);
  std::printf("\n");
}

class NoRejects final : public tidemill::RejectSink {
 public:
  void Reject(tidemill::RejectedRow row) override {
    std::fprintf(stderr, "reject: %s\n", row.detail.c_str());
    std::abort();
  }
};

constexpr char kProto[] = R"(syntax = "proto3"; import "google/protobuf/timestamp.proto";
message Event { int64 transaction_id = 1; google.protobuf.Timestamp tx_time = 2; int64 customer_id = 3;
                int64 terminal_id = 4; double amount = 5; string merchant = 6; })";

tidemill::Config OptionsOf(std::string_view format) {
  tidemill::Config options;
  if (format == "protobuf") options.Set("schema", kProto);
  return options;
}

// Encodes everything; `lines` gets one row per entry, ended by a line end in `text`.
void EncodeAll(const char* format, const std::vector<Batch>& batches, std::string& text,
               std::vector<size_t>* line_ends) {
  auto encoder = Must(tidemill::MakeRowEncoder(format, EventSchema(), OptionsOf(format)));
  text.clear();
  std::string rows;
  std::vector<size_t> ends;
  for (const Batch& batch : batches) {
    rows.clear();
    Must(encoder->Encode(batch, rows, ends));
    size_t begin = 0;
    for (const size_t end : ends) {
      text.append(rows, begin, end - begin);
      text += '\n';
      if (line_ends != nullptr) line_ends->push_back(text.size());
      begin = end;
    }
  }
}

void DecodeAll(const char* format, const std::string& text, const std::vector<size_t>& line_ends,
               int rows_per_line = 1) {
  auto decoder = Must(tidemill::MakeRowDecoder(format, EventSchema(), OptionsOf(format)));
  NoRejects rejects;
  std::vector<tidemill::EncodedRow> rows;
  size_t begin = 0;
  int64_t decoded = 0;
  for (size_t i = 0; i < line_ends.size(); ++i) {
    rows.push_back({std::string_view(text).substr(begin, line_ends[i] - 1 - begin), static_cast<int64_t>(i)});
    begin = line_ends[i];
    if (rows.size() == tidemill::kBatchRowsMax || i + 1 == line_ends.size()) {
      decoded += Must(decoder->Decode(rows, rejects)).rows->num_rows();
      rows.clear();
    }
  }
  if (decoded != int64_t{kRows} * rows_per_line) std::abort();
}

// Each row as an update of itself, as Debezium's connector for PostgreSQL tells it; two rows a message.
void MakeUpdates(const std::string& json, const std::vector<size_t>& json_ends, std::string& text,
                 std::vector<size_t>& line_ends) {
  size_t begin = 0;
  for (const size_t end : json_ends) {
    const std::string_view row = std::string_view(json).substr(begin, end - 1 - begin);
    begin = end;
    text += "{\"before\":";
    text += row;
    text += ",\"after\":";
    text += row;
    text += R"(,"source":{"version":"3.3.1.Final","connector":"postgresql","name":"shop","ts_ms":1767225600123,)"
            R"("snapshot":"false","db":"shop","sequence":"[\"24023128\",\"24023128\"]","ts_us":1767225600123456,)"
            R"("ts_ns":1767225600123456000,"schema":"public","table":"transactions","txId":555,"lsn":24023128,)"
            R"("xmin":null},"transaction":null,"op":"u","ts_ms":1767225600456,"ts_us":1767225600456789,)"
            R"("ts_ns":1767225600456789000})";
    text += '\n';
    line_ends.push_back(text.size());
  }
}

// Google's library without generated code: messages are parsed into one object, no columns are made.
void PeerProtobuf(const std::string& text, const std::vector<size_t>& line_ends) {
  const auto schema = Must(tidemill::ProtobufSchema::Parse({tidemill::SchemaLanguage::kProtobuf, kProto, {}}));
  google::protobuf::DynamicMessageFactory factory;
  const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(schema->file().message_type(0))->New());
  size_t begin = 0;
  for (const size_t end : line_ends) {
    if (!message->ParseFromArray(text.data() + begin, static_cast<int>(end - 1 - begin))) std::abort();
    begin = end;
  }
}

void PeerJson(const std::vector<Batch>& batches) {
  std::string text;
  for (const Batch& batch : batches) {
    const auto& c = batch.rows->columns();
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      nlohmann::json row;
      row["transaction_id"] = static_cast<const arrow::Int64Array&>(*c[0]).Value(i);
      row["tx_time"] = static_cast<const arrow::TimestampArray&>(*c[1]).Value(i);
      row["customer_id"] = static_cast<const arrow::Int64Array&>(*c[2]).Value(i);
      row["terminal_id"] = static_cast<const arrow::Int64Array&>(*c[3]).Value(i);
      row["amount"] = static_cast<const arrow::DoubleArray&>(*c[4]).Value(i);
      row["merchant"] = static_cast<const arrow::StringArray&>(*c[5]).GetView(i);
      text += row.dump();
      text += '\n';
    }
    text.clear();
  }
}

void PeerCsvRead(const std::string& text) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.column_names = EventSchema().names();
  auto convert = arrow::csv::ConvertOptions::Defaults();
  for (const auto& field : EventSchema().arrow()->fields()) convert.column_types[field->name()] = field->type();
  auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(text));
  auto reader = arrow::csv::TableReader::Make(arrow::io::default_io_context(), input, read,
                                              arrow::csv::ParseOptions::Defaults(), convert)
                    .ValueOrDie();
  if (reader->Read().ValueOrDie()->num_rows() != kRows) std::abort();
}

void PeerCsvWrite(const std::vector<Batch>& batches) {
  auto output = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = arrow::csv::MakeCSVWriter(output, EventSchema().arrow()).ValueOrDie();
  for (const Batch& batch : batches) {
    if (!writer->WriteRecordBatch(*batch.rows).ok()) std::abort();
  }
  if (!writer->Close().ok()) std::abort();
}

void WriteParquet(tidemill::FileSystem& files, const std::string& path, const std::vector<Batch>& batches) {
  auto file = Must(files.OpenWritable(path, tidemill::FileSystem::OpenMode::kTruncate));
  auto writer = Must(tidemill::ParquetWriter::Open(std::move(file), EventSchema(), {}));
  for (const Batch& batch : batches) Must(writer->Write(batch));
  Must(writer->Finish());
}

void ReadParquet(tidemill::FileSystem& files, const std::string& path) {
  auto reader = Must(tidemill::ParquetReader::Open(files, path, EventSchema()));
  NoRejects rejects;
  int64_t rows = 0;
  for (;;) {
    auto batch = Must(reader->Read(tidemill::kBatchRowsMax, rejects));
    if (!batch) break;
    rows += batch->num_rows();
  }
  if (rows != kRows) std::abort();
}

void PeerParquet(const std::string& path) {
  auto input = arrow::io::ReadableFile::Open(path).ValueOrDie();
  auto reader = parquet::arrow::OpenFile(input, arrow::default_memory_pool()).ValueOrDie();
  reader->set_use_threads(false);
  if (reader->ReadTable().ValueOrDie()->num_rows() != kRows) std::abort();
}

void EncodeKeys(const std::vector<Batch>& batches, const std::vector<int>& columns) {
  std::vector<DataType> types;
  for (const int c : columns) types.push_back(EventSchema().field(c).type);
  auto encoder = Must(tidemill::KeyEncoder::Make(std::move(types)));
  uint64_t sum = 0;
  for (const Batch& batch : batches) {
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const int c : columns) arrays.push_back(batch.rows->column(c));
    const auto keys = Must(encoder->Encode(arrays, batch.num_rows()));
    for (int64_t i = 0; i < keys.num_rows; ++i) sum += keys.hashes[i] + keys.key_groups[i];
  }
  if (sum == 0) std::abort();
}

void PeerKeys(const std::vector<Batch>& batches, const std::vector<int>& columns) {
  uint64_t sum = 0;
  for (const Batch& batch : batches) {
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      std::string key;
      for (const int c : columns) {
        const auto& column = *batch.rows->column(c);
        if (column.type_id() == arrow::Type::STRING) {
          key += static_cast<const arrow::StringArray&>(column).GetView(i);
        } else {
          const int64_t value = static_cast<const arrow::Int64Array&>(column).Value(i);
          key.append(reinterpret_cast<const char*>(&value), sizeof(value));
        }
      }
      sum += std::hash<std::string>()(key);
    }
  }
  if (sum == 0) std::abort();
}

}  // namespace

int main() {
  const std::vector<Batch> batches = MakeBatches();
  double memory_bytes = 0;
  for (const Batch& batch : batches) memory_bytes += static_cast<double>(batch.num_bytes());
  std::printf("%d rows of 6 columns, %.0f bytes a row in memory, one thread; median of %d\n", kRows,
              memory_bytes / kRows, kRounds);

  std::string json, csv, avro, protobuf;
  std::vector<size_t> json_ends, csv_ends, avro_ends, protobuf_ends;
  EncodeAll("json", batches, json, &json_ends);
  EncodeAll("csv", batches, csv, &csv_ends);
  EncodeAll("avro", batches, avro, &avro_ends);
  EncodeAll("protobuf", batches, protobuf, &protobuf_ends);
  std::string scratch;
  scratch.reserve(json.size());
  const auto json_bytes = static_cast<double>(json.size());
  const auto csv_bytes = static_cast<double>(csv.size());
  Print("JSON encode", MedianSeconds([&] { EncodeAll("json", batches, scratch, nullptr); }), json_bytes,
        MedianSeconds([&] { PeerJson(batches); }), "nlohmann dump, time as number:");
  Print("JSON decode, all columns", MedianSeconds([&] { DecodeAll("json", json, json_ends); }), json_bytes, 0, "");
  {
    std::string updates;
    std::vector<size_t> ends;
    MakeUpdates(json, json_ends, updates, ends);
    Print("Debezium JSON decode, updates (2 rows each)",
          MedianSeconds([&] { DecodeAll("debezium-json", updates, ends, 2); }), static_cast<double>(updates.size()), 0,
          "");
  }
  Print("CSV encode", MedianSeconds([&] { EncodeAll("csv", batches, scratch, nullptr); }), csv_bytes,
        MedianSeconds([&] { PeerCsvWrite(batches); }), "Arrow CSV writer:");
  Print("CSV decode", MedianSeconds([&] { DecodeAll("csv", csv, csv_ends); }), csv_bytes,
        MedianSeconds([&] { PeerCsvRead(csv); }), "Arrow CSV reader:");
  const auto avro_bytes = static_cast<double>(avro.size());
  Print("Avro encode", MedianSeconds([&] { EncodeAll("avro", batches, scratch, nullptr); }), avro_bytes, 0, "");
  Print("Avro decode", MedianSeconds([&] { DecodeAll("avro", avro, avro_ends); }), avro_bytes, 0, "");
  const auto protobuf_bytes = static_cast<double>(protobuf.size());
  Print("Protobuf encode", MedianSeconds([&] { EncodeAll("protobuf", batches, scratch, nullptr); }), protobuf_bytes, 0,
        "");
  Print("Protobuf decode", MedianSeconds([&] { DecodeAll("protobuf", protobuf, protobuf_ends); }), protobuf_bytes,
        MedianSeconds([&] { PeerProtobuf(protobuf, protobuf_ends); }), "Google's DynamicMessage, parsed:");

  tidemill::LocalFileSystem files;
  const std::string path = "/tmp/tidemill_bench_formats.parquet";
  Print("Parquet write and sync", MedianSeconds([&] { WriteParquet(files, path, batches); }), memory_bytes, 0, "");
  Print("Parquet read", MedianSeconds([&] { ReadParquet(files, path); }), memory_bytes,
        MedianSeconds([&] { PeerParquet(path); }), "Arrow, whole file as one table:");
  (void)files.Remove(path);

  for (const auto& [name, columns] : {std::pair<const char*, std::vector<int>>{"key: BIGINT", {2}},
                                      {"key: STRING", {5}},
                                      {"key: BIGINT, BIGINT", {2, 3}},
                                      {"key: BIGINT, STRING", {2, 5}}}) {
    Print(name, MedianSeconds([&, c = columns] { EncodeKeys(batches, c); }), 0,
          MedianSeconds([&, c = columns] { PeerKeys(batches, c); }), "std::string a row, std::hash:");
  }
  return 0;
}
