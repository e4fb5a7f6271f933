#include "exec/runtime/chain.h"

#include <algorithm>

namespace tidemill {

void Chain::Add(std::unique_ptr<Operator> op, OpenContext context, KeyGroupRange key_groups,
                std::unique_ptr<RejectSink> rejects, std::shared_ptr<WakeFlag> wake, Journal* journal) {
  auto link = std::make_unique<Link>(context.operator_name, key_groups);
  link->chain = this;
  link->index = static_cast<int>(links_.size());
  link->op = std::move(op);
  link->sink = dynamic_cast<SinkOperator*>(link->op.get());
  link->context = std::move(context);
  link->reject_sink = std::move(rejects);
  link->wake = std::move(wake);
  link->journal = journal;
  link->context.state = &link->state;
  link->context.timers = &link->timers;
  link->context.wake = WakeFlag::Callback(link->wake);
  link->reject_sink->SetWake(link->context.wake);
  link->rows_in = link->context.metrics->GetCounter("tidemill_records_in_total", "Rows given to an operator.",
                                                    link->context.labels);
  link->rows_out = link->context.metrics->GetCounter(
      "tidemill_records_out_total", "Rows given to a sink or the next operator.", link->context.labels);
  if (link->sink != nullptr) link->sink->SetRejects(link->reject_sink.get());
  links_.push_back(std::move(link));
}

Status Chain::Open() {
  for (auto& link : links_) {
    TM_RETURN_IF_ERROR(At(*link, link->op->Open(link->context)));
    link->opened = true;
  }
  return Status::OK();
}

void Chain::Close() noexcept {
  for (auto& link : links_) {
    if (link->opened) link->op->Close();
    link->opened = false;
  }
}

bool Chain::OutputsHaveRoom() const {
  return std::all_of(outputs_.begin(), outputs_.end(), [](const auto& output) { return output->HasRoom(); });
}

bool Chain::OperatorsHaveRoom() const {
  return std::all_of(links_.begin(), links_.end(),
                     [](const auto& link) { return link->op->HasRoom() && link->reject_sink->HasRoom(); });
}

bool Chain::HasWakes() const {
  return std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->wake->IsSet(); });
}

Status Chain::Deliver(int link, int input, Batch batch) {
  const int64_t num_rows = batch.num_rows();
  if (num_rows == 0) return Status::OK();
  if (num_rows > kBatchRowsMax) {
    for (int64_t offset = 0; offset < num_rows; offset += kBatchRowsMax) {
      TM_RETURN_IF_ERROR(
          Deliver(link, input, batch.Slice(offset, std::min<int64_t>(kBatchRowsMax, num_rows - offset))));
    }
    return Status::OK();
  }
  if (link < size()) {
    Link& next = *links_[link];
    next.rows_in->Add(num_rows);
    return At(next, next.op->ProcessBatch(input, std::move(batch), next));
  }
  for (auto& output : outputs_) TM_RETURN_IF_ERROR(output->Emit(batch));
  return Status::OK();
}

Status Chain::AdvanceWatermark(EventTime watermark) {
  if (links_.empty()) {
    Broadcast(Element::OfWatermark(watermark));
    return Status::OK();
  }
  return Advance(0, watermark);
}

Status Chain::Advance(int index, EventTime watermark) {
  Link& link = *links_[index];
  link.watermark = watermark;
  while (const auto timer = link.timers.TakeDue(watermark)) {
    TM_RETURN_IF_ERROR(At(link, link.op->OnTimer(timer->id, timer->due, link)));
  }
  TM_RETURN_IF_ERROR(At(link, link.op->OnWatermark(watermark, link)));
  return ForwardWatermark(link);
}

Status Chain::ForwardWatermark(Link& link) {
  const EventTime held = std::min(link.watermark, link.op->HoldsWatermark(link.watermark));
  if (held <= link.forwarded) return Status::OK();
  link.forwarded = held;
  if (link.index + 1 < size()) return Advance(link.index + 1, held);
  Broadcast(Element::OfWatermark(held));
  return Status::OK();
}

Status Chain::RunWakes() {
  for (auto& link : links_) {
    if (!link->wake->Take()) continue;
    TM_RETURN_IF_ERROR(At(*link, link->op->OnWake(*link)));
    TM_RETURN_IF_ERROR(ForwardWatermark(*link));
  }
  return Status::OK();
}

Result<bool> Chain::PassBarrier(EpochMark mark, EpochPart& part) {
  for (; barrier_at_ < size(); ++barrier_at_) {
    Link& link = *links_[barrier_at_];
    if (!link.op->IsQuiescent()) return false;
    if (link.sink != nullptr) {
      auto prepared = link.sink->Prepare(mark.epoch);
      if (!prepared.ok()) return At(link, prepared.status());
      if (!prepared->has_value()) return false;
      if (!(*prepared)->empty()) part.handles.emplace_back(link.sink->sink_name(), **prepared);
      continue;
    }
    TM_RETURN_IF_ERROR(At(link, link.op->PrepareSnapshot()));
    if (take_state_) {
      auto snapshots = link.state.Take(mark.full);
      if (!snapshots.ok()) return At(link, snapshots.status());
      for (TableSnapshot& snapshot : *snapshots) part.snapshots.push_back(std::move(snapshot));
    }
    part.state_bytes += link.state.MemoryBytes();
    part.state_keys += link.state.NumKeys();
    if (link.journal != nullptr) link.journal->StartEpoch(mark.epoch + 1);
  }
  barrier_at_ = 0;
  return true;
}

Result<bool> Chain::PassEnd() {
  for (auto& link : links_) {
    if (!link->op->IsQuiescent()) return false;
    TM_RETURN_IF_ERROR(ForwardWatermark(*link));
    if (link->forwarded != kMaxEventTime) return false;
  }
  return true;
}

void Chain::Broadcast(const Element& element) {
  for (auto& output : outputs_) output->Broadcast(element);
}

int64_t Chain::rows_written() const {
  int64_t rows = 0;
  for (const auto& link : links_) {
    if (link->sink != nullptr) rows += link->sink->rows_written().value();
  }
  return rows;
}

Status Chain::At(const Link& link, Status status) {
  if (status.ok() || failed_) return status;
  failed_ = true;
  return status.WithContext(link.context.operator_name);
}

}  // namespace tidemill
