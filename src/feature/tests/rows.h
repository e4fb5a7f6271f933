#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/api.h>
#include <arrow/json/from_string.h>

#include "feature/feature_view.h"
#include "feature/internal/parquet_file.h"
#include "feature/offline_files.h"

namespace tidemill {

inline std::shared_ptr<arrow::Array> ArrayFrom(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

// A view of cards: BIGINT key, TIMESTAMP(3) event time `ts`, a count, a mean, a country.
inline FeatureView CardView() {
  FeatureView view;
  view.name = "card_stats";
  view.schema = Schema({{"card_id", DataType(TypeKind::kBigInt, false)},
                        {"ts", DataType::Timestamp(3)},
                        {"n", DataType(TypeKind::kInt)},
                        {"mean", DataType(TypeKind::kDouble)},
                        {"country", DataType(TypeKind::kString)}});
  view.entities = {"card_id"};
  view.event_time = "ts";
  return view;
}

struct CardRow {
  int64_t card;
  int64_t ts;
  int32_t n;
  bool operator==(const CardRow&) const = default;
  auto operator<=>(const CardRow&) const = default;
};

// `mean` is n / 2, NULL when n is divisible by 5; `country` is "c<n>", NULL when divisible by 7.
inline std::shared_ptr<arrow::RecordBatch> CardRows(const std::vector<CardRow>& rows) {
  arrow::Int64Builder cards;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  arrow::Int32Builder counts;
  arrow::DoubleBuilder means;
  arrow::StringBuilder countries;
  for (const CardRow& row : rows) {
    arrow::Status status = cards.Append(row.card);
    status &= times.Append(row.ts);
    status &= counts.Append(row.n);
    status &= row.n % 5 == 0 ? means.AppendNull() : means.Append(row.n / 2.0);
    status &= row.n % 7 == 0 ? countries.AppendNull() : countries.Append("c" + std::to_string(row.n));
    if (!status.ok()) status.Abort();
  }
  return arrow::RecordBatch::Make(
      CardView().schema.arrow(), static_cast<int64_t>(rows.size()),
      {*cards.Finish(), *times.Finish(), *counts.Finish(), *means.Finish(), *countries.Finish()});
}

// The rows of all visible offline files, in the order they were written.
inline std::vector<CardRow> OfflineRows(FileSystem& files, const std::string& path) {
  std::vector<CardRow> rows;
  const std::vector<OfflinePart> parts = *ListOffline(files, path);
  for (const OfflinePart& part : parts) {
    auto reader = ParquetFileReader::Open(files, part.path);
    if (!reader.ok()) CheckFailed(__FILE__, __LINE__, reader.status().ToString().c_str());
    for (int group = 0; group < (*reader)->num_row_groups(); ++group) {
      const auto table = *(*reader)->Read(group, {"card_id", "ts", "n"});
      const auto flat = table->CombineChunksToBatch().ValueOrDie();
      for (int64_t i = 0; i < flat->num_rows(); ++i) {
        rows.push_back({flat->column_data(0)->GetValues<int64_t>(1)[i], flat->column_data(1)->GetValues<int64_t>(1)[i],
                        flat->column_data(2)->GetValues<int32_t>(1)[i]});
      }
    }
  }
  return rows;
}

// Newest event time wins, of equal ones the later.
inline std::map<int64_t, CardRow> NewestByCard(const std::vector<CardRow>& rows) {
  std::map<int64_t, CardRow> newest;
  for (const CardRow& row : rows) {
    const auto [place, made] = newest.try_emplace(row.card, row);
    if (!made && row.ts >= place->second.ts) place->second = row;
  }
  return newest;
}

}  // namespace tidemill
