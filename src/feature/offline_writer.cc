#include "feature/offline_writer.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include "data/arrow_status.h"
#include "data/batch.h"
#include "feature/internal/parallel.h"

namespace tidemill {
namespace {

constexpr int64_t kDayMs = 86'400'000;

int64_t DayOf(int64_t ms) { return ms >= 0 ? ms / kDayMs : -((-(ms + 1)) / kDayMs) - 1; }

Result<std::shared_ptr<arrow::Array>> Constant(int64_t value, int64_t n) {
  TM_ARROW_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> data, arrow::AllocateBuffer(n * 8),
                            "writing offline features");
  std::fill_n(reinterpret_cast<int64_t*>(data->mutable_data()), n, value);
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow::timestamp(arrow::TimeUnit::MILLI), n, {nullptr, std::move(data)}, 0));
}

}  // namespace

std::shared_ptr<arrow::Schema> OfflineWriter::FileSchema(const FeatureView& view) {
  arrow::FieldVector fields = view.schema.arrow()->fields();
  fields.push_back(arrow::field("written_at", arrow::timestamp(arrow::TimeUnit::MILLI), false));
  return arrow::schema(std::move(fields));
}

OfflineWriter::OfflineWriter(FileSystem& files, const FeatureView& view, std::string subtask, std::string writer,
                             int sync_threads)
    : files_(files),
      view_(view),
      subtask_(std::move(subtask)),
      writer_(std::move(writer)),
      sync_threads_(sync_threads),
      schema_(FileSchema(view)),
      event_time_column_(view.event_time_column()) {}

OfflineWriter::~OfflineWriter() {
  // What was not prepared is rows that a replay brings again.
  for (auto& [day, file] : days_) {
    if (file.writer == nullptr) continue;
    file.writer.reset();
    (void)files_.Remove(file.open_path).ok();
  }
  for (Written& written : written_) {
    written.writer.reset();
    (void)files_.Remove(written.open_path).ok();
  }
}

Status OfflineWriter::Add(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t written_at_ms) {
  const int64_t n = rows->num_rows();
  if (n == 0) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> columns = rows->columns();
  TM_ASSIGN_OR_RETURN(columns.emplace_back(), Constant(written_at_ms, n));
  const auto whole = arrow::RecordBatch::Make(schema_, n, std::move(columns));
  const int64_t* times = rows->column_data(event_time_column_)->GetValues<int64_t>(1);
  const int64_t row_bytes = std::max<int64_t>(1, Batch{whole}.num_bytes() / n);

  // Rows come nearly in order of time: mostly one day, or a few runs of one.
  struct Run {
    int64_t day, first, count;
  };
  std::vector<Run> runs;
  for (int64_t i = 0; i < n;) {
    const int64_t day = DayOf(times[i]);
    const int64_t from = day * kDayMs, to = from + kDayMs;
    const int64_t first = i;
    while (i < n && times[i] >= from && times[i] < to) ++i;
    runs.push_back({day, first, i - first});
  }
  if (runs.size() <= 4) {
    for (const Run& run : runs)
      TM_RETURN_IF_ERROR(AddToDay(run.day, whole->Slice(run.first, run.count), run.count * row_bytes));
    return Status::OK();
  }
  std::map<int64_t, std::vector<int32_t>> by_day;
  for (const Run& run : runs) {
    std::vector<int32_t>& rows_of_day = by_day[run.day];
    for (int64_t i = 0; i < run.count; ++i) rows_of_day.push_back(static_cast<int32_t>(run.first + i));
  }
  for (const auto& [day, indices] : by_day) {
    TM_ASSIGN_OR_RETURN(const Batch taken, TakeRows(Batch{whole}, indices));
    TM_RETURN_IF_ERROR(AddToDay(day, taken.rows, static_cast<int64_t>(indices.size()) * row_bytes));
  }
  return Status::OK();
}

Status OfflineWriter::AddToDay(int64_t day, std::shared_ptr<arrow::RecordBatch> rows, int64_t bytes) {
  DayFile& file = days_[day];
  file.last_used = ++uses_;
  file.pending_rows += rows->num_rows();
  file.pending_bytes += bytes;
  pending_bytes_ += bytes;
  file.pending.push_back(std::move(rows));
  if (file.pending_rows >= kRowGroupRows) TM_RETURN_IF_ERROR(Flush(file));
  if (pending_bytes_ > kPendingBytesMax) {
    const auto largest = std::max_element(days_.begin(), days_.end(), [](const auto& a, const auto& b) {
      return a.second.pending_bytes < b.second.pending_bytes;
    });
    TM_RETURN_IF_ERROR(Flush(largest->second));
  }
  if (days_.size() > kOpenDaysMax) {
    const auto oldest = std::min_element(days_.begin(), days_.end(), [](const auto& a, const auto& b) {
      return a.second.last_used < b.second.last_used;
    });
    TM_RETURN_IF_ERROR(Close(oldest->first));
  }
  return Status::OK();
}

Status OfflineWriter::Flush(DayFile& file) {
  if (file.pending.empty()) return Status::OK();
  if (file.writer == nullptr) {
    if (sequence_ == 0) TM_RETURN_IF_ERROR(files_.CreateDirectories(view_.offline_path));
    file.open_path =
        JoinPath(view_.offline_path, ".open-" + subtask_ + "-" + writer_ + "-" + std::to_string(sequence_++) + ".tmp");
    TM_ASSIGN_OR_RETURN(
        file.writer, ParquetFileWriter::Create(files_, file.open_path, schema_, {view_.compression, view_.event_time}));
  }
  TM_RETURN_IF_ERROR(file.writer->Write(file.pending));
  pending_bytes_ -= file.pending_bytes;
  file.pending.clear();
  file.pending_rows = 0;
  file.pending_bytes = 0;
  return Status::OK();
}

Status OfflineWriter::Close(int64_t day) {
  DayFile& file = days_[day];
  TM_RETURN_IF_ERROR(Flush(file));
  written_.push_back({file.open_path, DayFolder(day), "", std::move(file.writer)});
  days_.erase(day);
  return Status::OK();
}

// Footer, sync, and the name under which the epoch finds it, durably.
Status OfflineWriter::Seal(Written& written) {
  TM_RETURN_IF_ERROR(written.writer->Finish({}).status());
  const std::string folder = JoinPath(view_.offline_path, written.folder);
  if (!files_.Exists(folder)) TM_RETURN_IF_ERROR(files_.CreateDirectories(folder));
  TM_RETURN_IF_ERROR(files_.Rename(written.open_path, JoinPath(folder, TemporaryNameOf(written.part_name))));
  return files_.SyncDirectory(folder);
}

Result<OfflineHandle> OfflineWriter::Prepare(int64_t epoch) {
  while (!days_.empty()) TM_RETURN_IF_ERROR(Close(days_.begin()->first));
  OfflineHandle handle{epoch, {}};
  std::map<std::string, int> files_of_day;
  for (Written& written : written_) {
    const int number = files_of_day[written.folder]++;
    written.part_name = "part-" + std::to_string(epoch) + "-" + subtask_ + "-" + writer_;
    if (number > 0) written.part_name += "-" + std::to_string(number);
    written.part_name += ".parquet";
    handle.parts.push_back(written.folder + "/" + written.part_name);
  }
  TM_RETURN_IF_ERROR(RunParallel(written_.size(), sync_threads_, [this](size_t i) { return Seal(written_[i]); }));
  written_.clear();
  return handle;
}

}  // namespace tidemill
