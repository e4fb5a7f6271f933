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
  FetchUnderWay(Broker& broker, CallPtr<FetchRequest> call) : broker_(broker), call_(std::move(call)) {}

  void Start() {
    if (TryAnswer(request().max_wait_ms <= 0)) return;
    Watch();
    // What came between the reading and the watching woke nobody.
    if (TryAnswer(false)) return;
    broker_.timers.PostAfter(std::min<int64_t>(request().max_wait_ms, kWaitMsMax),
                             [self = shared_from_this()] { self->TryAnswer(true); });
  }

 private:
  using Readers = std::vector<std::unique_ptr<PartitionReader>>;  // what an answer's views point into

  const FetchRequest& request() const { return call_->message; }
  IsolationLevel isolation() const {
    return request().isolation_level == 1 ? IsolationLevel::kReadCommitted : IsolationLevel::kReadUncommitted;
  }

  bool TryAnswer(bool at_once) {
    std::lock_guard lock(mutex_);
    if (is_answered_) return true;
    FetchResponse response;
    Readers readers;
    bool failed = false;
    int64_t bytes = 0;
    if (call_->connection->is_closed()) at_once = true;
    for (const auto& topic : request().topics) {
      auto& topic_answer = response.responses.emplace_back();
      topic_answer.topic = topic.topic;
      topic_answer.topic_id = topic.topic_id;
      const auto name = broker_.NameOf(topic.topic, topic.topic_id);
      for (const auto& wanted : topic.partitions) {
        FetchAnswer& answer = topic_answer.partitions.emplace_back();
        answer.partition_index = wanted.partition;
        answer.high_watermark = -1;
        const KafkaError error = name ? Read(*name, wanted, bytes, &answer, &readers) : KafkaError::kUnknownTopicId;
        answer.error_code = Code(error);
        failed = failed || error != KafkaError::kNone;
        bytes += static_cast<int64_t>(answer.records->size());
      }
    }
    if (bytes < request().min_bytes && !failed && !at_once && !request().topics.empty()) return false;
    is_answered_ = true;
    // Not from inside of a wake-up of one of them: those only post.
    watches_.clear();
    response.throttle_time_ms = broker_.Charge(*call_, QuotaKind::kFetch, static_cast<size_t>(bytes));
    call_->Answer(response);
    return true;
  }

  KafkaError Read(const std::string& topic, const FetchRequest::FetchPartition& wanted, int64_t bytes_before,
                  FetchAnswer* answer, Readers* readers) {
    if (!broker_.AllowsTopic(*call_, AclOperation::kRead, topic)) return KafkaError::kTopicAuthorizationFailed;
    const auto partition = broker_.log.partition(topic, wanted.partition);
    if (!partition.ok()) return KafkaErrorOf(partition.status());
    if (wanted.current_leader_epoch > kLeaderEpoch) return KafkaError::kUnknownLeaderEpoch;
    const PartitionOffsets offsets = (*partition)->Offsets();
    answer->high_watermark = offsets.end;
    answer->last_stable_offset = offsets.last_stable;
    answer->log_start_offset = offsets.log_start;
    if (wanted.fetch_offset < offsets.log_start || wanted.fetch_offset > offsets.end)
      return KafkaError::kOffsetOutOfRange;
    const int64_t left = std::min<int64_t>(request().max_bytes, kAnswerBytesMax) - bytes_before;
    // The first partition with records gives a whole batch however large that is, so that a consumer gets on (KIP-74).
    if (left <= 0 && bytes_before > 0) return KafkaError::kNone;
    const int64_t bytes_max =
        std::clamp<int64_t>(std::min<int64_t>(wanted.partition_max_bytes, left), 1, kPartitionBytesMax);
    auto reader = std::make_unique<PartitionReader>(*partition, wanted.fetch_offset,
                                                    ReaderOptions{.isolation = isolation(), .chunk_bytes = bytes_max});
    std::string_view records;
    if (const Status read = reader->PollBatches(bytes_max, &records); !read.ok()) return KafkaErrorOf(read);
    if (bytes_before > 0 && static_cast<int64_t>(records.size()) > left) return KafkaError::kNone;
    answer->records = records;
    if (isolation() == IsolationLevel::kReadCommitted && !records.empty()) {
      for (const AbortedTransaction& aborted :
           (*partition)->AbortedTransactions(wanted.fetch_offset, reader->position()))
        answer->aborted_transactions->push_back({aborted.producer_id, aborted.first_offset});
    }
    readers->push_back(std::move(reader));
    return KafkaError::kNone;
  }

  void Watch() {
    std::lock_guard lock(mutex_);
    for (const auto& topic : request().topics) {
      const auto name = broker_.NameOf(topic.topic, topic.topic_id);
      for (const auto& wanted : topic.partitions) {
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
  std::mutex mutex_;
  bool is_answered_ = false;
  std::vector<std::unique_ptr<PartitionSubscription>> watches_;
};

}  // namespace

void HandleFetch(Broker& broker, const CallPtr<FetchRequest>& call) {
  std::make_shared<FetchUnderWay>(broker, call)->Start();
}

}  // namespace tidemill::wire
