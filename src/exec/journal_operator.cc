#include "exec/journal_operator.h"

#include <algorithm>

#include <arrow/api.h>

namespace tidemill {
namespace {

constexpr size_t kHeldBatchesMax = 1024;
constexpr int64_t kHeldRowsMax = 8 * kBatchRowsMax;

}  // namespace

Result<std::unique_ptr<JournalOperator>> JournalOperator::Make(JournalSpec spec, const Schema& rows,
                                                               std::unique_ptr<Journal> journal) {
  return std::unique_ptr<JournalOperator>(new JournalOperator(std::move(spec), rows, std::move(journal)));
}

Status JournalOperator::Open(OpenContext& context) {
  wake_ = context.wake;
  TM_ASSIGN_OR_RETURN(recovered_, RecoveredRows::Make(rows_, spec_.deterministic_columns, context.state->key_groups()));
  TM_RETURN_IF_ERROR(context.state->Register("recovered", recovered_.get()));
  TM_ASSIGN_OR_RETURN(std::vector<Batch> batches, journal_->TakeRecovered());
  for (const Batch& batch : batches) TM_RETURN_IF_ERROR(recovered_->Add(batch, 0));
  return Status::OK();
}

Result<Batch> JournalOperator::Recall(Batch batch, std::vector<int32_t>& fresh) {
  TM_ASSIGN_OR_RETURN(auto matches, recovered_->Match(batch));
  std::vector<Batch> parts{batch};
  std::vector<int32_t> order;
  for (size_t i = 0; i < matches.size(); ++i) {
    if (!matches[i]) {
      fresh.push_back(static_cast<int32_t>(i));
      order.push_back(static_cast<int32_t>(i));
      continue;
    }
    order.push_back(static_cast<int32_t>(batch.num_rows() + static_cast<int64_t>(parts.size()) - 1));
    parts.push_back(*std::move(matches[i]));
  }
  if (parts.size() == 1) return batch;
  for (Batch& part : parts) part.rows = arrow::RecordBatch::Make(rows_.arrow(), part.num_rows(), part.rows->columns());
  TM_ASSIGN_OR_RETURN(Batch all, ConcatBatches(parts));
  TM_ASSIGN_OR_RETURN(Batch recalled, TakeRows(all, order));
  recalled.ingest_us = batch.ingest_us;
  return recalled;
}

Status JournalOperator::ProcessBatch(int, Batch batch, Collector& out) {
  Batch to_write = batch;
  if (!recovered_->empty()) {
    std::vector<int32_t> fresh;
    TM_ASSIGN_OR_RETURN(batch, Recall(std::move(batch), fresh));
    if (static_cast<int64_t>(fresh.size()) < batch.num_rows()) {
      TM_ASSIGN_OR_RETURN(to_write, TakeRows(batch, fresh));
    }
  }
  Held held{std::move(batch), nullptr, watermark_};
  held_rows_ += held.batch.num_rows();
  if (to_write.num_rows() > 0) {
    held.written = std::make_shared<Written>();
    held_.push_back(held);
    journal_->Append(to_write, [written = held.written, wake = wake_](Status status) {
      written->status = std::move(status);
      written->done.store(true, std::memory_order_release);
      wake();
    });
  } else {
    held_.push_back(std::move(held));
  }
  return EmitDurable(out);
}

Status JournalOperator::EmitDurable(Collector& out) {
  while (!held_.empty()) {
    Held& first = held_.front();
    if (first.written) {
      if (!first.written->done.load(std::memory_order_acquire)) break;
      TM_RETURN_IF_ERROR(first.written->status.WithContext("journal"));
    }
    Batch batch = std::move(first.batch);
    held_rows_ -= batch.num_rows();
    held_.pop_front();
    TM_RETURN_IF_ERROR(out.Emit(std::move(batch)));
  }
  return Status::OK();
}

Status JournalOperator::OnWatermark(EventTime watermark, Collector& out) {
  watermark_ = watermark;
  return EmitDurable(out);
}

EventTime JournalOperator::HoldsWatermark(EventTime watermark) const {
  return held_.empty() ? watermark : std::min(watermark, held_.front().watermark);
}
Status JournalOperator::OnWake(Collector& out) { return EmitDurable(out); }
bool JournalOperator::HasRoom() const { return held_.size() < kHeldBatchesMax && held_rows_ < kHeldRowsMax; }

Status JournalOperator::PrepareSnapshot() {
  recovered_->NextEpoch();
  return Status::OK();
}

}  // namespace tidemill
