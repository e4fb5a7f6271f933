#include "exec/runtime/subtask.h"

#include <algorithm>

namespace tidemill {
namespace {

constexpr int kElementsPerRun = 32;

}  // namespace

Subtask::Subtask(Options options, SubtaskListener& listener, const std::atomic<int64_t>& request)
    : options_(std::move(options)), listener_(listener), request_(request) {}

void Subtask::JoinAligner(SourceAligner* aligner, int member) {
  aligner_ = aligner;
  member_ = member;
  if (aligner_ != nullptr) aligner_->Publish(member_, source_->timed() ? source_->NextStart() : kMaxEventTime);
}

bool Subtask::Ready() {
  if (aligner_ != nullptr && source_->ended()) {  // holds nobody up: the others wait for all
    const EpochMark mark = UnpackRequest(request_.load(std::memory_order_acquire));
    if (mark.epoch > last_epoch_) (void)aligner_->Arrive(member_, mark.epoch);
  }
  if (chain_.HasWakes() && chain_.OutputsHaveRoom()) return true;
  switch (phase_) {
    case Phase::kPassingBarrier:
    case Phase::kEnding:
      return attempt_;
    case Phase::kEnded:
      return UnpackRequest(request_.load(std::memory_order_acquire)).epoch > last_epoch_;
    case Phase::kRunning:
      break;
  }
  if (source_ != nullptr) {
    if (!started_) return true;
    const BarrierState barrier = SourceBarrier();
    if (barrier == BarrierState::kNow) return true;
    if (barrier == BarrierState::kWait) return false;
    if (source_->ended()) return true;
    if (!source_->HasWork() || !chain_.OutputsHaveRoom() || !chain_.OperatorsHaveRoom()) return false;
    return aligner_ == nullptr || !source_->timed() || aligner_->MayEmit(member_);
  }
  const bool all_ended = std::all_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.ended; });
  if (all_ended) return true;
  return NextInput() >= 0 && chain_.OutputsHaveRoom() && chain_.OperatorsHaveRoom();
}

void Subtask::SamplePressure() {
  if (phase_ != Phase::kRunning) return;
  const bool input = source_ != nullptr ? source_->HasWork() : NextInput() >= 0;
  const bool blocked = input && !(chain_.OutputsHaveRoom() && chain_.OperatorsHaveRoom());
  pressure_samples_.fetch_add(1, std::memory_order_relaxed);
  if (blocked) pressure_blocked_.fetch_add(1, std::memory_order_relaxed);
}

Status Subtask::Run() {
  if (chain_.HasWakes() && chain_.OutputsHaveRoom()) {
    TM_RETURN_IF_ERROR(chain_.RunWakes());
    attempt_ = true;
  }
  switch (phase_) {
    case Phase::kPassingBarrier:
      return attempt_ ? TryBarrier() : Status::OK();
    case Phase::kEnding:
      return attempt_ ? TryEnd() : Status::OK();
    case Phase::kEnded: {
      const EpochMark mark = UnpackRequest(request_.load(std::memory_order_acquire));
      if (mark.epoch <= last_epoch_) return Status::OK();
      direct_ = true;
      BeginBarrier(mark);
      return TryBarrier();
    }
    case Phase::kRunning:
      return source_ != nullptr ? RunSource() : RunInputs();
  }
  return Status::OK();
}

Subtask::BarrierState Subtask::SourceBarrier() {
  const EpochMark mark = UnpackRequest(request_.load(std::memory_order_acquire));
  if (mark.epoch <= last_epoch_) return BarrierState::kNone;
  if (source_->ended()) return BarrierState::kNone;  // answered after the end
  if (aligner_ == nullptr) return BarrierState::kNow;
  const std::optional<EventTime> threshold = aligner_->Arrive(member_, mark.epoch);
  if (!threshold.has_value()) return BarrierState::kWait;
  return !source_->timed() || source_->NextStart() >= *threshold ? BarrierState::kNow : BarrierState::kReadOn;
}

Status Subtask::RunSource() {
  if (!started_) {
    started_ = true;
    TM_RETURN_IF_ERROR(source_->Start(chain_));
  }
  const BarrierState barrier = SourceBarrier();
  if (barrier == BarrierState::kNow) {
    BeginBarrier(UnpackRequest(request_.load(std::memory_order_acquire)));
    return TryBarrier();
  }
  if (barrier == BarrierState::kWait) return Status::OK();
  const bool aligned = aligner_ != nullptr && source_->timed();
  // Asked here too: the first run, and one for an operator's wake, come without Ready's look at the others.
  if (!source_->ended() && chain_.OutputsHaveRoom() && chain_.OperatorsHaveRoom() &&
      (!aligned || aligner_->MayEmit(member_))) {
    const EventTime start = source_->NextStart();
    TM_RETURN_IF_ERROR(source_->Step(aligned ? aligner_->LimitFor(member_) : kMaxEventTime, chain_));
    if (aligned) {
      aligner_->PublishReached(member_, start);
      aligner_->PublishDensity(member_, source_->density());
    }
    shown_watermark_.store(source_->progress().watermark.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  if (aligned) aligner_->Publish(member_, source_->NextStart());
  if (!source_->ended()) return Status::OK();
  source_->progress().ended.store(true, std::memory_order_relaxed);
  phase_ = Phase::kEnding;
  attempt_ = true;
  TM_RETURN_IF_ERROR(chain_.AdvanceWatermark(kMaxEventTime));
  return TryEnd();
}

int Subtask::NextInput() const {
  EventTime lowest = kMaxEventTime;
  if (options_.ordered) {
    for (const Input& input : inputs_) {
      if (input.timed && !input.ended && !input.idle && !input.blocked) lowest = std::min(lowest, input.watermark);
    }
  }
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const size_t at = (last_input_ + 1 + i) % inputs_.size();
    const Input& input = inputs_[at];
    if (input.ended || input.blocked || input.channel->empty()) continue;
    if (options_.ordered && input.timed && input.watermark > lowest && !force_) continue;
    return static_cast<int>(at);
  }
  return -1;
}

void Subtask::OnStall() {
  if (!options_.ordered || phase_ != Phase::kRunning || source_ != nullptr) return;
  force_ = std::any_of(inputs_.begin(), inputs_.end(),
                       [](const Input& input) { return !input.ended && !input.blocked && !input.channel->HasRoom(); });
}

Status Subtask::RunInputs() {
  bool had_batch = false;
  for (int taken = 0; taken < kElementsPerRun && phase_ == Phase::kRunning; ++taken) {
    if (!chain_.OutputsHaveRoom() || !chain_.OperatorsHaveRoom()) break;
    const int at = NextInput();
    if (at < 0) break;
    const bool is_batch = inputs_[at].channel->Front()->kind == Element::Kind::kBatch;
    if (is_batch && had_batch) break;
    had_batch |= is_batch;
    force_ = false;
    last_input_ = static_cast<size_t>(at);
    TM_RETURN_IF_ERROR(Take(inputs_[at]));
  }
  if (phase_ != Phase::kRunning) return Status::OK();
  const bool all_ended = std::all_of(inputs_.begin(), inputs_.end(), [](const Input& input) { return input.ended; });
  if (!all_ended) return Status::OK();
  phase_ = Phase::kEnding;
  attempt_ = true;
  if (watermark_ != kMaxEventTime) {
    watermark_ = kMaxEventTime;
    TM_RETURN_IF_ERROR(chain_.AdvanceWatermark(kMaxEventTime));
  }
  return TryEnd();
}

Status Subtask::Take(Input& input) {
  Element element = input.channel->Pop();
  switch (element.kind) {
    case Element::Kind::kBatch:
      input.idle = false;
      BeActive();
      return chain_.Process(input.operator_input, std::move(element.batch));
    case Element::Kind::kWatermark:
      input.idle = false;
      input.watermark = std::max(input.watermark, element.watermark);
      return AdvanceInputs();
    case Element::Kind::kIdle:
      input.idle = true;
      return AdvanceInputs();
    case Element::Kind::kBarrier: {
      input.blocked = true;
      mark_ = element.mark;
      if (!Aligned()) return Status::OK();
      BeginBarrier(mark_);
      return TryBarrier();
    }
    case Element::Kind::kEnd:
      input.ended = true;
      TM_RETURN_IF_ERROR(AdvanceInputs());
      if (!Aligned()) return Status::OK();
      BeginBarrier(mark_);
      return TryBarrier();
  }
  return Status::OK();
}

bool Subtask::Aligned() const {
  bool any_blocked = false;
  for (const Input& input : inputs_) {
    if (!input.ended && !input.blocked) return false;
    any_blocked |= input.blocked;
  }
  return any_blocked;
}

Status Subtask::AdvanceInputs() {
  EventTime minimum = kMaxEventTime;
  bool any_active = false;
  bool all_ended = true;
  for (const Input& input : inputs_) {
    all_ended &= input.ended;
    if (input.ended || input.idle) continue;
    any_active = true;
    minimum = std::min(minimum, input.watermark);
  }
  if (all_ended) return Status::OK();  // the end is another way
  if (any_active) {
    BeActive();
    if (minimum <= watermark_) return Status::OK();
    watermark_ = minimum;
    shown_watermark_.store(minimum, std::memory_order_relaxed);
    return chain_.AdvanceWatermark(minimum);
  }
  if (!idle_) {
    idle_ = true;
    chain_.Broadcast(Element::OfKind(Element::Kind::kIdle));
  }
  return Status::OK();
}

void Subtask::BeActive() {
  if (!idle_) return;
  idle_ = false;
  chain_.Broadcast(Element::OfWatermark(kMinEventTime));  // says no more than that this input counts again
}

void Subtask::BeginBarrier(EpochMark mark) {
  phase_ = Phase::kPassingBarrier;
  attempt_ = true;
  mark_ = mark;
  part_ = EpochPart{.mark = mark, .subtask_id = options_.id, .subtask = options_.index};
}

Status Subtask::TryBarrier() {
  attempt_ = false;
  TM_ASSIGN_OR_RETURN(const bool passed, chain_.PassBarrier(mark_, part_));
  if (!passed) return Status::OK();
  last_epoch_ = mark_.epoch;
  if (direct_) {
    phase_ = Phase::kEnded;
    direct_ = false;
  } else {
    phase_ = Phase::kRunning;
    chain_.Broadcast(Element::OfBarrier(mark_));
    for (Input& input : inputs_) input.blocked = false;
  }
  listener_.OnEpochPart(std::move(part_), source_.get());
  part_ = {};
  return Status::OK();
}

Status Subtask::TryEnd() {
  attempt_ = false;
  TM_ASSIGN_OR_RETURN(const bool passed, chain_.PassEnd());
  if (!passed) return Status::OK();
  phase_ = Phase::kEnded;
  shown_watermark_.store(kMaxEventTime, std::memory_order_relaxed);
  chain_.Broadcast(Element::OfKind(Element::Kind::kEnd));
  listener_.OnSubtaskEnded();
  return Status::OK();
}

Status Subtask::CheckDeadline(int64_t now_ns) {
  if (source_ == nullptr || phase_ != Phase::kRunning || !started_) return Status::OK();
  return source_->CheckIdle(now_ns, chain_);
}

int64_t Subtask::NextDeadlineNs() const {
  return source_ == nullptr || phase_ != Phase::kRunning ? INT64_MAX : source_->NextDeadlineNs();
}

}  // namespace tidemill
