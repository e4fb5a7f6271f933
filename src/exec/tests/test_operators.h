#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "data/arrow_status.h"
#include "exec/operator.h"
#include "exec/tests/memory_world.h"
#include "state/keyed_table.h"

namespace tidemill::testing {

// Hands rows on as they are.
class PassOperator final : public Operator {
 public:
  Status Open(OpenContext&) override { return Status::OK(); }
  Status ProcessBatch(int, Batch batch, Collector& out) override { return out.Emit(std::move(batch)); }
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }
};

// Rejects rows at or before the watermark, as a window would; hands the rest on.
class LateFilter final : public Operator {
 public:
  Status Open(OpenContext&) override { return Status::OK(); }
  Status ProcessBatch(int, Batch batch, Collector& out) override {
    std::vector<Row> kept;
    for (const Row& row : RowsOf(batch)) {
      if (row.time > watermark_) {
        kept.push_back(row);
      } else {
        out.rejects().Reject({.reason = RejectReason::kLate, .offset = row.value});
      }
    }
    return kept.empty() ? Status::OK() : out.Emit(BatchOf(kept));
  }
  Status OnWatermark(EventTime watermark, Collector&) override {
    watermark_ = watermark;
    return Status::OK();
  }

 private:
  EventTime watermark_ = kMinEventTime;
};

// One sum per slot, as a keyed table's values.
class SumColumn final : public SlotValues {
 public:
  const Schema& schema() const override { return schema_; }
  void Resize(int64_t slots) override { sums.resize(static_cast<size_t>(slots)); }
  void Clear(std::span<const uint32_t> slots) override {
    for (uint32_t slot : slots) sums[slot] = 0;
  }
  Result<std::vector<std::shared_ptr<arrow::Array>>> Export(std::span<const uint32_t> slots) const override {
    arrow::Int64Builder builder;
    for (uint32_t slot : slots) TM_ARROW_RETURN_IF_ERROR(builder.Append(sums[slot]), "export");
    TM_ARROW_ASSIGN_OR_RETURN(auto array, builder.Finish(), "export");
    return std::vector<std::shared_ptr<arrow::Array>>{array};
  }
  Status Import(std::span<const uint32_t> slots, std::span<const std::shared_ptr<arrow::Array>> columns) override {
    const auto& values = static_cast<const arrow::Int64Array&>(*columns[0]);
    for (size_t i = 0; i < slots.size(); ++i) sums[slots[i]] = values.Value(static_cast<int64_t>(i));
    return Status::OK();
  }
  int64_t MemoryBytes() const override { return static_cast<int64_t>(sums.size() * 8); }

  std::vector<int64_t> sums;

 private:
  Schema schema_{std::vector<Field>{{"sum", DataType(TypeKind::kBigInt)}}};
};

// For each row its key's running sum, in real keyed state.
class KeyedSum final : public Operator {
 public:
  Status Open(OpenContext& context) override {
    TM_ASSIGN_OR_RETURN(table_, KeyedTable::Make({.keys = {{"key", DataType(TypeKind::kBigInt)}}}, &sums_));
    return context.state->Register("sums", table_.get());
  }
  Status ProcessBatch(int, Batch batch, Collector& out) override {
    std::vector<uint32_t> slots;
    TM_RETURN_IF_ERROR(table_->Upsert({batch.rows->column(0)}, batch.num_rows(), slots));
    std::vector<Row> rows = RowsOf(batch);
    for (size_t i = 0; i < rows.size(); ++i) rows[i].value = sums_.sums[slots[i]] += rows[i].value;
    return out.Emit(BatchOf(rows));
  }
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }

 private:
  SumColumn sums_;
  std::unique_ptr<KeyedTable> table_;
};

// Keeps batches in flight until they are let go: by its own thread, or by Release.
class AsyncOperator final : public Operator {
 public:
  explicit AsyncOperator(bool threaded, size_t in_flight_max = 4)
      : threaded_(threaded), in_flight_max_(in_flight_max) {}
  ~AsyncOperator() override { Close(); }
  Status Open(OpenContext& context) override {
    wake_ = context.wake;
    if (threaded_) {
      thread_ = std::thread([this] {
        while (!stop_) {
          Release();
          std::this_thread::yield();
        }
      });
    }
    return Status::OK();
  }
  Status ProcessBatch(int, Batch batch, Collector&) override {
    ++in_flight_;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      waiting_.push_back(std::move(batch));
    }
    if (!threaded_) wake_();
    return Status::OK();
  }
  Status OnWatermark(EventTime, Collector&) override { return Status::OK(); }
  Status OnWake(Collector& out) override {
    std::deque<Batch> done;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!threaded_) {
        done.push_back(waiting_.front());
        waiting_.pop_front();
      }
      for (Batch& batch : done_) done.push_back(std::move(batch));
      done_.clear();
    }
    for (Batch& batch : done) {
      --in_flight_;
      TM_RETURN_IF_ERROR(out.Emit(std::move(batch)));
    }
    if (!threaded_ && in_flight_ > 0) wake_();
    return Status::OK();
  }
  bool HasRoom() const override { return in_flight_ < in_flight_max_; }
  bool IsQuiescent() const override { return in_flight_ == 0; }
  void Close() noexcept override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  void Release() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.empty()) return;
      done_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    wake_();
  }

  const bool threaded_;
  const size_t in_flight_max_;
  std::function<void()> wake_;
  size_t in_flight_ = 0;
  std::mutex mutex_;
  std::deque<Batch> waiting_;
  std::deque<Batch> done_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tidemill::testing
