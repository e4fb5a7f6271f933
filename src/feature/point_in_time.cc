#include "feature/point_in_time.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include "data/arrow_status.h"
#include "data/key_encoder.h"
#include "feature/errors.h"
#include "feature/internal/entity_ids.h"
#include "feature/internal/parquet_file.h"
#include "feature/offline_files.h"

namespace tidemill {
namespace {

constexpr std::string_view kDoing = "joining features";
constexpr int64_t kMillisPerDay = 86'400'000;
constexpr int64_t kKeyPieceRows = 64 << 10;

// Feature rows of the labels' entities, of one slice or gathered from several.
struct HeldRows {
  std::vector<std::shared_ptr<arrow::Array>> features;
  int64_t num_rows = 0;
};

struct SliceRow {
  EventTime time;
  int64_t written;
  int32_t entity;
  int32_t row;  // within the slice's HeldRows
};

class PointInTimeJoin {
 public:
  PointInTimeJoin(FileSystem& files, const FeatureView& view, const std::vector<int>& features,
                  const std::vector<EventTime>& times, const PointInTimeOptions& options)
      : files_(files), view_(view), features_(features), times_(times), options_(options) {}

  Result<PointInTimeResult> Run(const std::vector<std::shared_ptr<arrow::Array>>& entities) {
    TM_RETURN_IF_ERROR(TakeLabels(entities));
    latest_.assign(ids_.size(), {-1, kMinEventTime});
    TM_ASSIGN_OR_RETURN(const std::vector<OfflinePart> parts, ListOffline(files_, view_.offline_path));
    std::map<int64_t, std::vector<OfflinePart>> days;
    for (const OfflinePart& part : parts) days[*DayNumberOf("day=" + part.day)].push_back(part);
    const EventTime first_label = order_.empty() ? 0 : times_[order_.front()];
    const EventTime last_label = order_.empty() ? 0 : times_[order_.back()];
    for (const auto& [day, day_parts] : days) {
      if (order_.empty() || day * kMillisPerDay > last_label) break;
      if (view_.ttl_ms > 0 && (day + 1) * kMillisPerDay + view_.ttl_ms <= first_label) continue;
      // Labels before this day see what is there by now.
      TakeLabelsUpTo(day * kMillisPerDay - 1);
      TM_RETURN_IF_ERROR(JoinDay(day, day_parts));
    }
    TakeLabelsUpTo(kMaxEventTime);
    TM_RETURN_IF_ERROR(GatherFound());
    TM_RETURN_IF_ERROR(Arrange());
    return std::move(result_);
  }

 private:
  struct Latest {
    int64_t row;  // into the held rows, all tables counted through; -1 = none
    EventTime time;
  };
  struct Found {
    int64_t row;
    int32_t label;
  };

  // Numbers the labels' entities and sorts the labels by time.
  Status TakeLabels(const std::vector<std::shared_ptr<arrow::Array>>& entities) {
    std::vector<DataType> types;
    for (const int column : view_.entity_columns()) types.push_back(view_.schema.field(column).type.WithNullable(true));
    TM_ASSIGN_OR_RETURN(keys_, KeyEncoder::Make(types));
    const auto n = static_cast<int64_t>(times_.size());
    label_entities_.assign(n, -1);
    for (int64_t first = 0; first < n; first += kKeyPieceRows) {
      const int64_t rows = std::min(kKeyPieceRows, n - first);
      std::vector<std::shared_ptr<arrow::Array>> piece;
      for (const auto& column : entities) piece.push_back(column->Slice(first, rows));
      TM_ASSIGN_OR_RETURN(const EncodedKeys keys, keys_->Encode(piece, rows));
      for (int64_t i = 0; i < rows; ++i) {
        bool usable = times_[first + i] != kMinEventTime;
        for (const auto& column : piece) usable = usable && column->IsValid(i);
        if (usable) label_entities_[first + i] = ids_.Add(keys.key(i), keys.hashes[i]);
      }
    }
    for (int64_t i = 0; i < n; ++i) {
      if (label_entities_[i] >= 0) order_.push_back(static_cast<int32_t>(i));
    }
    const auto earlier = [this](int32_t a, int32_t b) { return times_[a] < times_[b]; };
    if (!std::is_sorted(order_.begin(), order_.end(), earlier)) std::stable_sort(order_.begin(), order_.end(), earlier);
    return Status::OK();
  }

  // Answers the labels with times up to `time` from the latest rows.
  void TakeLabelsUpTo(EventTime time) {
    for (; next_label_ < order_.size() && times_[order_[next_label_]] <= time; ++next_label_) {
      const int32_t label = order_[next_label_];
      const Latest& latest = latest_[label_entities_[label]];
      if (latest.row < 0) continue;
      if (view_.ttl_ms > 0 && latest.time < times_[label] - view_.ttl_ms) continue;
      found_.push_back({latest.row, label});
    }
  }

  Status JoinDay(int64_t day, const std::vector<OfflinePart>& parts) {
    int64_t rows = 0;
    std::vector<std::unique_ptr<ParquetFileReader>> readers;
    for (const OfflinePart& part : parts) {
      TM_ASSIGN_OR_RETURN(readers.emplace_back(), ParquetFileReader::Open(files_, part.path));
      rows += readers.back()->num_rows();
    }
    const int64_t slices = std::max<int64_t>(1, (rows + options_.slice_rows_max - 1) / options_.slice_rows_max);
    for (int64_t slice = 0; slice < slices; ++slice) {
      const EventTime from = day * kMillisPerDay + slice * kMillisPerDay / slices,
                      to = day * kMillisPerDay + (slice + 1) * kMillisPerDay / slices;
      HeldRows held;
      std::vector<SliceRow> order;
      TM_RETURN_IF_ERROR(ReadSlice(readers, parts, from, to, slices > 1, &held, &order));
      if (!order.empty()) Merge(order, std::move(held));
      if (held_rows_ > std::max<int64_t>(options_.held_rows_max, 2LL * ids_.size())) TM_RETURN_IF_ERROR(Compact());
    }
    return Status::OK();
  }

  // The rows of [from, to) that concern the labels, in order of (time, written, position).
  Status ReadSlice(const std::vector<std::unique_ptr<ParquetFileReader>>& readers,
                   const std::vector<OfflinePart>& parts, EventTime from, EventTime to, bool bounded, HeldRows* held,
                   std::vector<SliceRow>* order) {
    std::vector<std::string> names = view_.entities;
    names.push_back(view_.event_time);
    names.push_back("written_at");
    for (const int feature : features_) names.push_back(view_.schema.field(feature).name);
    std::vector<std::vector<std::shared_ptr<arrow::Array>>> pieces(features_.size());
    for (size_t file = 0; file < readers.size(); ++file) {
      for (int group = 0; group < readers[file]->num_row_groups(); ++group) {
        const auto range = bounded ? readers[file]->Range(group, view_.event_time) : std::nullopt;
        if (range && (range->second < from || range->first >= to)) continue;
        TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Table> table, readers[file]->Read(group, names));
        result_.feature_rows_read += table->num_rows();
        const Status taken = TakeRows(*table, from, to, held, order, &pieces);
        if (!taken.ok()) return taken.WithContext(parts[file].path);
      }
    }
    for (auto& columns : pieces) {
      if (columns.empty()) return Status::OK();
      TM_ARROW_ASSIGN_OR_RETURN(held->features.emplace_back(), arrow::Concatenate(columns), kDoing);
    }
    const auto earlier = [](const SliceRow& a, const SliceRow& b) {
      return a.time != b.time ? a.time < b.time : a.written < b.written;
    };
    if (!std::is_sorted(order->begin(), order->end(), earlier)) std::stable_sort(order->begin(), order->end(), earlier);
    return Status::OK();
  }

  Status TakeRows(const arrow::Table& table, EventTime from, EventTime to, HeldRows* held, std::vector<SliceRow>* order,
                  std::vector<std::vector<std::shared_ptr<arrow::Array>>>* pieces) {
    const int64_t n = table.num_rows();
    if (n == 0) return Status::OK();
    std::vector<std::shared_ptr<arrow::Array>> entities;
    for (const int column : view_.entity_columns()) {
      TM_ASSIGN_OR_RETURN(entities.emplace_back(), ColumnOf(table, view_.schema.field(column).name,
                                                            ToArrow(view_.schema.field(column).type), true));
    }
    const auto ms = arrow::timestamp(arrow::TimeUnit::MILLI);
    TM_ASSIGN_OR_RETURN(
        const std::shared_ptr<arrow::Array> time_column,
        ColumnOf(table, view_.event_time, ToArrow(view_.schema.field(view_.event_time_column()).type), true));
    TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> written_column, ColumnOf(table, "written_at", ms, false));
    const int64_t* times = time_column->data()->GetValues<int64_t>(1);
    const int64_t* written = written_column->data()->GetValues<int64_t>(1);
    arrow::Int32Builder wanted;
    for (int64_t first = 0; first < n; first += kKeyPieceRows) {
      const int64_t rows = std::min(kKeyPieceRows, n - first);
      std::vector<std::shared_ptr<arrow::Array>> piece;
      for (const auto& column : entities) piece.push_back(column->Slice(first, rows));
      TM_ASSIGN_OR_RETURN(const EncodedKeys keys, keys_->Encode(piece, rows));
      for (int64_t i = first; i < first + rows; ++i) {
        if (times[i] < from || times[i] >= to || time_column->IsNull(i)) continue;
        const int32_t entity = ids_.Find(keys.key(i - first), keys.hashes[i - first]);
        if (entity < 0) continue;
        order->push_back({times[i], written_column->IsNull(i) ? INT64_MIN : written[i], entity,
                          static_cast<int32_t>(held->num_rows++)});
        TM_ARROW_RETURN_IF_ERROR(wanted.Append(static_cast<int32_t>(i)), kDoing);
      }
    }
    if (wanted.length() == 0) return Status::OK();
    const bool all = wanted.length() == n;
    std::shared_ptr<arrow::Array> indices;
    TM_ARROW_RETURN_IF_ERROR(wanted.Finish(&indices), kDoing);
    for (size_t f = 0; f < features_.size(); ++f) {
      const Field& field = view_.schema.field(features_[f]);
      TM_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> column,
                          ColumnOf(table, field.name, ToArrow(field.type), false));
      if (!all) {
        TM_ASSIGN_OR_RETURN(column, TakeFrom(column, indices));
      }
      (*pieces)[f].push_back(std::move(column));
    }
    return Status::OK();
  }

  static Result<std::shared_ptr<arrow::Array>> TakeFrom(const std::shared_ptr<arrow::Array>& values,
                                                        const std::shared_ptr<arrow::Array>& indices) {
    TM_ARROW_ASSIGN_OR_RETURN(const arrow::Datum taken,
                              arrow::compute::Take(values, indices, arrow::compute::TakeOptions::NoBoundsCheck()),
                              kDoing);
    return taken.make_array();
  }

  // A column as one array of `type`; NULLs when the file has none and does not need it.
  static Result<std::shared_ptr<arrow::Array>> ColumnOf(const arrow::Table& table, const std::string& name,
                                                        const std::shared_ptr<arrow::DataType>& type, bool needed) {
    const std::shared_ptr<arrow::ChunkedArray> column = table.GetColumnByName(name);
    if (column == nullptr) {
      if (needed) return Status(kOfflineFile, "there is no column '" + name + "'");
      TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Array> nulls, arrow::MakeArrayOfNull(type, table.num_rows()),
                                kDoing);
      return nulls;
    }
    std::shared_ptr<arrow::Array> flat = column->chunk(0);
    if (column->num_chunks() > 1) {
      TM_ARROW_ASSIGN_OR_RETURN(flat, arrow::Concatenate(column->chunks()), kDoing);
    }
    if (flat->type()->Equals(*type)) return flat;
    const auto converted = arrow::compute::Cast(*flat, type);
    if (converted.ok()) return *converted;
    return Status(kOfflineFile,
                  "column '" + name + "' is " + flat->type()->ToString() + ", expected " + type->ToString());
  }

  // Walks the slice's rows and the labels together in order of time.
  void Merge(const std::vector<SliceRow>& order, HeldRows held) {
    const int64_t base = base_of_tables_.empty() ? 0 : base_of_tables_.back() + tables_.back().num_rows;
    for (const SliceRow& row : order) {
      TakeLabelsUpTo(row.time - 1);
      latest_[row.entity] = {base + row.row, row.time};
    }
    base_of_tables_.push_back(base);
    held_rows_ += held.num_rows;
    tables_.push_back(std::move(held));
  }

  // Reads the values of the labels found so far out of the held rows.
  Status GatherFound() {
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.row < b.row; });
    size_t next = 0;
    for (size_t t = 0; t < tables_.size() && next < found_.size(); ++t) {
      const int64_t end = base_of_tables_[t] + tables_[t].num_rows;
      arrow::Int64Builder rows;
      for (; next < found_.size() && found_[next].row < end; ++next) {
        TM_ARROW_RETURN_IF_ERROR(rows.Append(found_[next].row - base_of_tables_[t]), kDoing);
        gathered_labels_.push_back(found_[next].label);
      }
      if (rows.length() == 0) continue;
      std::shared_ptr<arrow::Array> indices;
      TM_ARROW_RETURN_IF_ERROR(rows.Finish(&indices), kDoing);
      gathered_.resize(features_.size());
      for (size_t f = 0; f < features_.size(); ++f) {
        TM_ASSIGN_OR_RETURN(gathered_[f].emplace_back(), TakeFrom(tables_[t].features[f], indices));
      }
    }
    found_.clear();
    return Status::OK();
  }

  // Keeps of the held rows only each entity's latest.
  Status Compact() {
    TM_RETURN_IF_ERROR(GatherFound());
    std::vector<std::pair<int64_t, int32_t>> kept;
    for (int32_t entity = 0; entity < ids_.size(); ++entity) {
      if (latest_[entity].row >= 0) kept.emplace_back(latest_[entity].row, entity);
    }
    std::sort(kept.begin(), kept.end());
    HeldRows compact;
    std::vector<std::vector<std::shared_ptr<arrow::Array>>> pieces(features_.size());
    size_t next = 0;
    for (size_t t = 0; t < tables_.size(); ++t) {
      const int64_t end = base_of_tables_[t] + tables_[t].num_rows;
      arrow::Int64Builder rows;
      for (; next < kept.size() && kept[next].first < end; ++next) {
        TM_ARROW_RETURN_IF_ERROR(rows.Append(kept[next].first - base_of_tables_[t]), kDoing);
        latest_[kept[next].second].row = compact.num_rows++;
      }
      std::shared_ptr<arrow::Array> indices;
      TM_ARROW_RETURN_IF_ERROR(rows.Finish(&indices), kDoing);
      for (size_t f = 0; f < features_.size(); ++f) {
        TM_ASSIGN_OR_RETURN(pieces[f].emplace_back(), TakeFrom(tables_[t].features[f], indices));
      }
      tables_[t].features.clear();
    }
    for (auto& columns : pieces) {
      TM_ARROW_ASSIGN_OR_RETURN(compact.features.emplace_back(), arrow::Concatenate(columns), kDoing);
    }
    held_rows_ = compact.num_rows;
    tables_.clear();
    tables_.push_back(std::move(compact));
    base_of_tables_ = {0};
    return Status::OK();
  }

  // What was gathered, in the labels' order.
  Status Arrange() {
    const auto n = static_cast<int64_t>(times_.size());
    std::vector<int64_t> place(n, -1);
    for (size_t i = 0; i < gathered_labels_.size(); ++i) place[gathered_labels_[i]] = static_cast<int64_t>(i);
    result_.matched = static_cast<int64_t>(gathered_labels_.size());
    arrow::Int64Builder builder;
    for (const int64_t at : place) TM_ARROW_RETURN_IF_ERROR(at < 0 ? builder.AppendNull() : builder.Append(at), kDoing);
    std::shared_ptr<arrow::Array> indices;
    TM_ARROW_RETURN_IF_ERROR(builder.Finish(&indices), kDoing);
    for (size_t f = 0; f < features_.size(); ++f) {
      if (gathered_.empty()) {
        TM_ARROW_ASSIGN_OR_RETURN(result_.values.emplace_back(),
                                  arrow::MakeArrayOfNull(ToArrow(view_.schema.field(features_[f]).type), n), kDoing);
        continue;
      }
      TM_ARROW_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Array> flat, arrow::Concatenate(gathered_[f]), kDoing);
      gathered_[f].clear();
      TM_ASSIGN_OR_RETURN(result_.values.emplace_back(), TakeFrom(flat, indices));
    }
    return Status::OK();
  }

  FileSystem& files_;
  const FeatureView& view_;
  const std::vector<int>& features_;
  const std::vector<EventTime>& times_;
  const PointInTimeOptions options_;
  std::unique_ptr<KeyEncoder> keys_;
  EntityIds ids_;
  std::vector<int32_t> label_entities_;  // -1 = never matches
  std::vector<int32_t> order_;           // labels by time
  size_t next_label_ = 0;                // in order_
  std::vector<Latest> latest_;           // per entity
  std::vector<HeldRows> tables_;
  std::vector<int64_t> base_of_tables_;
  int64_t held_rows_ = 0;
  std::vector<Found> found_;
  std::vector<std::vector<std::shared_ptr<arrow::Array>>> gathered_;  // per feature
  std::vector<int32_t> gathered_labels_;
  PointInTimeResult result_;
};

}  // namespace

Result<PointInTimeResult> JoinPointInTime(FileSystem& files, const FeatureView& view, const std::vector<int>& features,
                                          const std::vector<std::shared_ptr<arrow::Array>>& entities,
                                          const std::vector<EventTime>& times, const PointInTimeOptions& options) {
  if (times.size() > INT32_MAX) return Status(kLimitExceeded, "more than 2147483647 labels at once");
  // A merge of offline files may take some away between listing and reading: look again.
  for (int tries = 5;; --tries) {
    Result<PointInTimeResult> result = PointInTimeJoin(files, view, features, times, options).Run(entities);
    if (result.ok() || tries == 1 || !result.status().Is(kFileNotFound)) return result;
  }
}

}  // namespace tidemill
