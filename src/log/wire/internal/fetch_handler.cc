#include <algorithm>
#include <mutex>

#include "log/errors.h"
#include "log/wire/internal/handlers.h"
#include "log/wire/messages/fetch.h"

namespace tidemill::wire {

namespace {

using FetchAnswer = FetchResponse::PartitionData;

constexpr int64_t kAnswerBytesMax = 64 << 20;
constexpr int64_t kPartitionBytesMax = 16 << 20;
constexpr int64_t kWaitMsMax = 60'000;

// One fetch: read at once, and again whenever one of its partitions has something new, until enough is there or its
// time is up.
class FetchUnderWay : public std::enable_shared_from_this<FetchUnderWay> {
 public:
  FetchUnderWay(Broker& broker, CallPtr<FetchRequest> call, FetchContext context)
      : broker_(broker), call_(std::move(call)), context_(std::move(context)) {}

  void Start() {
    if (TryAnswer(request().max_wait_ms <= 0)) return;
    Watch();
    // What came between the reading and the watching woke nobody.
    if (TryAnswer(false)) return;
    broker_.timers.PostAfter(std::min<int64_t>(request().max_wait_ms, kWaitMsMax),
                             [self = shared_from_this()] { self->TryAnswer(true); });
  }

 private:
  const FetchRequest& request() const { return call_->message; }
  IsolationLevel isolation() const {
    return request().isolation_level == 1 ? IsolationLevel::kReadCommitted : IsolationLevel::kReadUncommitted;
  }

  // An answer in the making.
  struct Draft {
    FetchResponse response;
    std::vector<FramePiece> pieces;      // of the partitions that have records, in their order
    std::vector<FetchedPartition> told;  // what is in the answer, in its order
    std::vector<bool> had_records;
    int64_t bytes = 0;
    bool failed = false;
  };

  bool TryAnswer(bool at_once) {
    std::lock_guard lock(mutex_);
    if (is_answered_) return true;
    if (call_->connection->is_closed()) at_once = true;
    Draft draft;
    for (const FetchedPartition& wanted : context_.partitions) AddPartition(wanted, &draft);
    if (draft.bytes < request().min_bytes && !draft.failed && !at_once && !context_.partitions.empty()) return false;
    is_answered_ = true;
    // Not from inside of a wake-up of one of them: those only post.
    watches_.clear();
    draft.response.session_id = Remember(draft);
    draft.response.throttle_time_ms = broker_.Charge(*call_, QuotaKind::kFetch, static_cast<size_t>(draft.bytes));
    call_->AnswerWithRecords(draft.response, std::move(draft.pieces));
    return true;
  }

  int32_t Remember(const Draft& draft) {
    const std::string& owner = call_->session->who.principal;
    if (context_.opens_session) return broker_.fetch_sessions.Open(draft.told, owner, broker_.NowMs());
    if (context_.session_id != 0) broker_.fetch_sessions.Told(context_.session_id, draft.told, draft.had_records);
    return context_.session_id;
  }

  // Within a session only what is new is said.
  void AddPartition(const FetchedPartition& wanted, Draft* draft) {
    FetchAnswer answer;
    answer.partition_index = wanted.partition;
    answer.high_watermark = -1;
    const auto name = broker_.NameOf(wanted.topic, wanted.topic_id);
    const KafkaError error =
        name ? Read(*name, wanted, draft->bytes, &answer, &draft->pieces) : KafkaError::kUnknownTopicId;
    answer.error_code = Code(error);
    const bool has_records = !answer.records->empty();
    const bool is_news = has_records || error != KafkaError::kNone || answer.high_watermark != wanted.high_watermark ||
                         answer.log_start_offset != wanted.log_start;
    if (context_.session_id != 0 && !is_news) return;
    draft->failed = draft->failed || error != KafkaError::kNone;
    draft->bytes += static_cast<int64_t>(answer.records->size());
    auto& topics = draft->response.responses;
    if (topics.empty() || !draft->told.back().SameTopic(wanted)) {
      auto& topic = topics.emplace_back();
      topic.topic = wanted.topic;
      topic.topic_id = wanted.topic_id;
    }
    draft->told.push_back(wanted);
    draft->told.back().high_watermark = answer.high_watermark;
    draft->told.back().log_start = answer.log_start_offset;
    draft->had_records.push_back(has_records);
    topics.back().partitions.push_back(std::move(answer));
  }

  KafkaError Read(const std::string& topic, const FetchedPartition& wanted, int64_t bytes_before, FetchAnswer* answer,
                  std::vector<FramePiece>* pieces) {
    if (!broker_.AllowsTopic(*call_, AclOperation::kRead, topic)) return KafkaError::kTopicAuthorizationFailed;
    const auto partition = broker_.log.partition(topic, wanted.partition);
    if (!partition.ok()) return KafkaErrorOf(partition.status());
    if (wanted.leader_epoch > kLeaderEpoch) return KafkaError::kUnknownLeaderEpoch;
    const PartitionOffsets offsets = (*partition)->Offsets();
    answer->high_watermark = offsets.end;
    answer->last_stable_offset = offsets.last_stable;
    answer->log_start_offset = offsets.log_start;
    if (wanted.fetch_offset < offsets.log_start || wanted.fetch_offset > offsets.end)
      return KafkaError::kOffsetOutOfRange;
    const int64_t left = std::min<int64_t>(request().max_bytes, kAnswerBytesMax) - bytes_before;
    // The first partition with records gives a whole batch however large that is, so that a consumer gets on (KIP-74).
    if (left <= 0 && bytes_before > 0) return KafkaError::kNone;
    const int64_t bytes_max = std::clamp<int64_t>(std::min<int64_t>(wanted.bytes_max, left), 1, kPartitionBytesMax);
    const int64_t allowed = bytes_before > 0 ? left : INT64_MAX;
    auto stored = (*partition)->FindBatches(wanted.fetch_offset, isolation(), bytes_max);
    if (!stored.ok()) return KafkaErrorOf(stored.status());
    if (!*stored) return ReadPickingTransactions(*partition, wanted.fetch_offset, bytes_max, allowed, answer, pieces);
    if ((*stored)->bytes == 0 || (*stored)->bytes > allowed) return KafkaError::kNone;
    // Only its length is looked at.
    answer->records = std::string_view(call_->frame.data(), static_cast<size_t>((*stored)->bytes));
    pieces->emplace_back(std::move((*stored)->file), (*stored)->position, (*stored)->bytes);
    return KafkaError::kNone;
  }

  // Up to the last stable offset, with what was aborted on the way; and whatever else FindBatches leaves to a reader.
  KafkaError ReadPickingTransactions(const std::shared_ptr<Partition>& partition, int64_t offset, int64_t bytes_max,
                                     int64_t allowed, FetchAnswer* answer, std::vector<FramePiece>* pieces) {
    PartitionReader reader(partition, offset, ReaderOptions{.isolation = isolation(), .chunk_bytes = bytes_max});
    std::string_view records;
    if (const Status read = reader.PollBatches(bytes_max, &records); !read.ok()) return KafkaErrorOf(read);
    if (records.empty() || static_cast<int64_t>(records.size()) > allowed) return KafkaError::kNone;
    if (isolation() == IsolationLevel::kReadCommitted) {
      for (const AbortedTransaction& aborted : partition->AbortedTransactions(offset, reader.position()))
        answer->aborted_transactions->push_back({aborted.producer_id, aborted.first_offset});
    }
    pieces->emplace_back(std::string(records));
    answer->records = std::string_view(call_->frame.data(), records.size());
    return KafkaError::kNone;
  }

  void Watch() {
    std::lock_guard lock(mutex_);
    for (const FetchedPartition& wanted : context_.partitions) {
      const auto name = broker_.NameOf(wanted.topic, wanted.topic_id);
      const auto partition = name ? broker_.log.partition(*name, wanted.partition) : Status(kUnknownTopic, "");
      if (!partition.ok()) continue;
      watches_.push_back((*partition)->Subscribe([weak = weak_from_this(), &timers = broker_.timers] {
        timers.Post([weak] {
          const auto self = weak.lock();
          if (self != nullptr && !self->TryAnswer(false)) self->ArmAgain();
        });
      }));
      watches_.back()->Arm();
    }
  }
  void ArmAgain() {
    {
      std::lock_guard lock(mutex_);
      for (const auto& watch : watches_) watch->Arm();
    }
    TryAnswer(false);
  }

  Broker& broker_;
  const CallPtr<FetchRequest> call_;
  const FetchContext context_;
  std::mutex mutex_;
  bool is_answered_ = false;
  std::vector<std::unique_ptr<PartitionSubscription>> watches_;
};

}  // namespace

void HandleFetch(Broker& broker, const CallPtr<FetchRequest>& call) {
  FetchContext context = broker.fetch_sessions.Begin(call->message, call->session->who.principal, broker.NowMs());
  if (context.error == KafkaError::kNone)
    return std::make_shared<FetchUnderWay>(broker, call, std::move(context))->Start();
  FetchResponse response;
  response.error_code = Code(context.error);
  call->Answer(response);
}

}  // namespace tidemill::wire
