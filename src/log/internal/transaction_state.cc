#include "log/internal/transaction_state.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace tidemill::log_internal {
namespace {

bool Before(const AbortedTransaction& a, const AbortedTransaction& b) {
  return std::tie(a.producer_id, a.first_offset) < std::tie(b.producer_id, b.first_offset);
}

}  // namespace

bool IsAborted(const AbortedList& aborted, int64_t producer_id, int64_t offset) {
  // The last transaction of this producer that began at or before `offset`.
  auto it = std::upper_bound(aborted.begin(), aborted.end(), AbortedTransaction{producer_id, offset, 0}, Before);
  if (it == aborted.begin()) return false;
  --it;
  return it->producer_id == producer_id && offset <= it->last_offset;
}

void TransactionState::OnBatch(const BatchHeader& header, std::optional<ControlType> control) {
  if (!header.transactional()) return;
  const auto it = open_.find(header.producer_id);
  if (!control) {
    if (it == open_.end()) {
      open_[header.producer_id] = {header.base_offset, header.last_offset(), header.base_sequence < 0};
    } else {
      it->second.last_offset = header.last_offset();
    }
    return;
  }
  if (it == open_.end()) return;
  if (*control == ControlType::kAbort) {
    auto list = std::make_shared<AbortedList>(*aborted_);
    const AbortedTransaction entry{header.producer_id, it->second.first_offset, header.base_offset};
    list->insert(std::upper_bound(list->begin(), list->end(), entry, Before), entry);
    aborted_ = std::move(list);
  }
  open_.erase(it);
}

int64_t TransactionState::LastStable(int64_t end) const {
  for (const auto& [producer_id, open] : open_) end = std::min(end, open.first_offset);
  return end;
}

void TransactionState::ForgetBefore(int64_t log_start) {
  if (std::none_of(aborted_->begin(), aborted_->end(), [&](const auto& a) { return a.last_offset < log_start; }))
    return;
  auto list = std::make_shared<AbortedList>();
  std::copy_if(aborted_->begin(), aborted_->end(), std::back_inserter(*list),
               [&](const auto& a) { return a.last_offset >= log_start; });
  aborted_ = std::move(list);
}

void TransactionState::ForgetAborted(const std::vector<AbortedTransaction>& gone) {
  if (gone.empty()) return;
  std::set<std::pair<int64_t, int64_t>> markers;
  for (const AbortedTransaction& one : gone) markers.emplace(one.producer_id, one.last_offset);
  auto list = std::make_shared<AbortedList>();
  std::copy_if(aborted_->begin(), aborted_->end(), std::back_inserter(*list), [&](const auto& a) {
    return !markers.contains({a.producer_id, a.last_offset});
  });
  aborted_ = std::move(list);
}

void TransactionState::AppendTo(std::string* out) const {
  AppendBig<uint32_t>(out, static_cast<uint32_t>(open_.size()));
  for (const auto& [producer_id, open] : open_) {
    AppendBig(out, producer_id);
    AppendBig(out, open.first_offset);
    AppendBig(out, open.last_offset);
    AppendBig<uint8_t>(out, open.embedded ? 1 : 0);
  }
  AppendBig<uint32_t>(out, static_cast<uint32_t>(aborted_->size()));
  for (const AbortedTransaction& aborted : *aborted_) {
    AppendBig(out, aborted.producer_id);
    AppendBig(out, aborted.first_offset);
    AppendBig(out, aborted.last_offset);
  }
}

TransactionState TransactionState::ParseFrom(ByteReader* reader, int version) {
  TransactionState state;
  for (auto n = reader->Big<uint32_t>(); n > 0 && reader->ok(); --n) {
    const auto producer_id = reader->Big<int64_t>();
    const auto first = reader->Big<int64_t>();
    const auto last = reader->Big<int64_t>();
    state.open_[producer_id] = {first, last, version < 2 || reader->Big<uint8_t>() != 0};
  }
  auto list = std::make_shared<AbortedList>();
  for (auto n = reader->Big<uint32_t>(); n > 0 && reader->ok(); --n) {
    const auto producer_id = reader->Big<int64_t>();
    const auto first = reader->Big<int64_t>();
    list->push_back({producer_id, first, reader->Big<int64_t>()});
  }
  state.aborted_ = std::move(list);
  return state;
}

}  // namespace tidemill::log_internal
