#include "log/groups/group_coordinator.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <set>
#include <thread>

#include "base/errors.h"
#include "log/errors.h"
#include "log/groups/classic_group.h"
#include "log/groups/consumer_group.h"
#include "log/groups/group_environment.h"

namespace tidemill {
namespace {

constexpr size_t kGroupIdBytesMax = 249;
constexpr size_t kPositionMetadataBytesMax = 4096;
// Half a year of seconds, and below 2^24 with room for a million changes: librdkafka 2.x takes the member id in a
// heartbeat's response for text that ends with a zero byte, which is the first one of an epoch below that.
constexpr int64_t kFirstEpochs = (1 << 24) - (1 << 20);
constexpr size_t kMemberIdPrefixBytesMax = 200;

bool IsGroupId(const std::string& id) { return !id.empty() && id.size() <= kGroupIdBytesMax; }

bool EqualIgnoringCase(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool Passes(const std::vector<std::string>& filter, const std::string& value) {
  return filter.empty() || std::any_of(filter.begin(), filter.end(),
                                       [&](const std::string& wanted) { return EqualIgnoringCase(wanted, value); });
}

KafkaError ErrorOfPosition(const ConsumerPosition& position) {
  if (position.metadata.size() > kPositionMetadataBytesMax) return KafkaError::kOffsetMetadataTooLarge;
  if (position.topic.empty() || position.topic.size() > kGroupIdBytesMax) return KafkaError::kInvalidTopic;
  if (position.partition < 0) return KafkaError::kUnknownTopicOrPartition;
  return position.offset < 0 ? KafkaError::kOffsetOutOfRange : KafkaError::kNone;
}

KafkaError ErrorOfCommit(const Status& status) {
  if (status.ok()) return KafkaError::kNone;
  return status.Is(kLimitExceeded) ? KafkaError::kInvalidCommitOffsetSize : KafkaError::kCoordinatorNotAvailable;
}

}  // namespace

std::string GroupEnvironment::MakeMemberId(const std::string& prefix) {
  const uint64_t high = random.Next();
  const uint64_t low = random.Next();
  char uuid[40];
  std::snprintf(uuid, sizeof(uuid), "-%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>((low >> 48 & 0x3fff) | 0x8000),
                static_cast<unsigned long long>(low & 0xffff'ffff'ffff));
  return prefix.substr(0, kMemberIdPrefixBytesMax) + uuid;
}

// Of one of the two protocols.
struct GroupCoordinator::Group {
  bool IsIdle() const { return classic ? classic->IsIdle() : consumer->IsIdle(); }

  std::unique_ptr<ClassicGroup> classic;
  std::unique_ptr<ConsumerGroup> consumer;
  bool was_idle = false;  // when ForgetIdleGroups last looked
};

// Holds the lock for the time of a call; what the call decided is told when the lock is free again.
class GroupCoordinator::Call {
 public:
  explicit Call(const GroupCoordinator& coordinator) : Call(coordinator, coordinator.NowMs()) {}
  Call(const GroupCoordinator& coordinator, int64_t now_ms)
      : coordinator_(coordinator), environment_(*coordinator.environment_), lock_(coordinator.mutex_) {
    environment_.now_ms = now_ms;
    deadline_ms_ = environment_.deadlines.next_ms();
  }
  ~Call() {
    const auto outbox = std::exchange(environment_.outbox, {});
    const bool moved = environment_.deadlines.next_ms() < deadline_ms_;
    lock_.unlock();
    for (const auto& answer : outbox) answer();
    if (moved && coordinator_.options_.deadline_moved) coordinator_.options_.deadline_moved();
  }

 private:
  const GroupCoordinator& coordinator_;
  GroupEnvironment& environment_;
  std::unique_lock<std::mutex> lock_;
  int64_t deadline_ms_ = 0;
};

GroupCoordinator::GroupCoordinator(const Clock& clock, uint64_t seed, ConsumerPositions& positions,
                                   GroupOptions options)
    : clock_(clock),
      positions_(positions),
      options_(std::move(options)),
      random_(seed),
      environment_(new GroupEnvironment{options_, random_}) {}

GroupCoordinator::~GroupCoordinator() {
  const Call call(*this);
  groups_.clear();
}

ClassicGroup* GroupCoordinator::FindClassic(const std::string& id) const {
  const auto it = groups_.find(id);
  return it == groups_.end() ? nullptr : it->second->classic.get();
}

ConsumerGroup* GroupCoordinator::FindConsumer(const std::string& id) const {
  const auto it = groups_.find(id);
  return it == groups_.end() ? nullptr : it->second->consumer.get();
}

ClassicGroup* GroupCoordinator::FindOrMakeClassic(const std::string& id, KafkaError* error) {
  if (ClassicGroup* found = FindClassic(id)) return found;
  *error = MakeRoomFor(id, KafkaError::kInconsistentGroupProtocol);
  if (*error != KafkaError::kNone) return nullptr;
  auto group = std::make_unique<Group>();
  group->classic = std::make_unique<ClassicGroup>(*environment_, id);
  return groups_.emplace(id, std::move(group)).first->second->classic.get();
}

ConsumerGroup* GroupCoordinator::FindOrMakeConsumer(const std::string& id, KafkaError* error) {
  if (ConsumerGroup* found = FindConsumer(id)) return found;
  *error = MakeRoomFor(id, KafkaError::kGroupIdNotFound);
  if (*error != KafkaError::kNone) return nullptr;
  // Members keep their ids over a restart of ours, so epochs must not come again while somebody may still hold one:
  // they begin with the time, which passes faster than a group changes.
  const int64_t first = clock_.NowMicros() / 1'000'000 % kFirstEpochs;
  auto group = std::make_unique<Group>();
  group->consumer = std::make_unique<ConsumerGroup>(*environment_, id, static_cast<int32_t>(first));
  return groups_.emplace(id, std::move(group)).first->second->consumer.get();
}

// A group of the other protocol gives way when it is idle; `in_use` says that it is not.
KafkaError GroupCoordinator::MakeRoomFor(const std::string& id, KafkaError in_use) {
  const auto other = groups_.find(id);
  if (other != groups_.end() && !other->second->IsIdle()) return in_use;
  if (other != groups_.end()) groups_.erase(other);
  return MakeRoom() ? KafkaError::kNone : KafkaError::kGroupMaxSizeReached;
}

bool GroupCoordinator::MakeRoom() {
  if (!forgets_later_) {
    forgets_later_ = true;
    environment_->deadlines.Add(environment_->now_ms + options_.empty_group_ms, [this] { ForgetIdleGroups(); });
  }
  if (groups_.size() < static_cast<size_t>(options_.groups_max)) return true;
  return std::erase_if(groups_, [](const auto& group) { return group.second->IsIdle(); }) > 0;
}

// Forgets groups that were idle the last time and are still: their positions tell all that matters.
void GroupCoordinator::ForgetIdleGroups() {
  std::erase_if(groups_, [](const auto& entry) {
    Group& group = *entry.second;
    const bool was_idle = std::exchange(group.was_idle, group.IsIdle());
    return was_idle && group.was_idle;
  });
  forgets_later_ = !groups_.empty();
  if (!forgets_later_) return;
  environment_->deadlines.Add(environment_->now_ms + options_.empty_group_ms, [this] { ForgetIdleGroups(); });
}

void GroupCoordinator::Join(JoinRequest request, JoinReply reply) {
  const Call call(*this);
  KafkaError error = KafkaError::kNone;
  ClassicGroup* group = nullptr;
  if (!IsGroupId(request.group)) {
    error = KafkaError::kInvalidGroupId;
  } else if (request.session_timeout_ms < options_.session_timeout_min_ms ||
             request.session_timeout_ms > options_.session_timeout_max_ms) {
    error = KafkaError::kInvalidSessionTimeout;
  } else if (request.member_id.empty()) {
    group = FindOrMakeClassic(request.group, &error);
  } else {
    group = FindClassic(request.group);
    if (group == nullptr) error = KafkaError::kUnknownMemberId;
  }
  if (error == KafkaError::kNone) {
    groups_.at(request.group)->was_idle = false;
    return group->Join(std::move(request), std::move(reply));
  }
  JoinResult result;
  result.error = error;
  result.member_id = std::move(request.member_id);
  environment_->Answer(&reply, std::move(result));
}

void GroupCoordinator::Sync(SyncRequest request, SyncReply reply) {
  const Call call(*this);
  ClassicGroup* group = FindClassic(request.group);
  if (group != nullptr) return group->Sync(std::move(request), std::move(reply));
  SyncResult result;
  result.error = IsGroupId(request.group) ? KafkaError::kUnknownMemberId : KafkaError::kInvalidGroupId;
  environment_->Answer(&reply, std::move(result));
}

KafkaError GroupCoordinator::Heartbeat(const HeartbeatRequest& request) {
  const Call call(*this);
  if (!IsGroupId(request.group)) return KafkaError::kInvalidGroupId;
  ClassicGroup* group = FindClassic(request.group);
  return group == nullptr ? KafkaError::kUnknownMemberId : group->Heartbeat(request);
}

LeaveResult GroupCoordinator::Leave(const std::string& id, const std::vector<LeaveMember>& members) {
  const Call call(*this);
  LeaveResult result;
  if (!IsGroupId(id)) {
    result.error = KafkaError::kInvalidGroupId;
    return result;
  }
  ClassicGroup* group = FindClassic(id);
  for (const LeaveMember& member : members) {
    result.members.push_back(group == nullptr ? KafkaError::kUnknownMemberId : group->Leave(member));
  }
  return result;
}

ConsumerHeartbeatResult GroupCoordinator::ConsumerHeartbeat(ConsumerHeartbeatRequest request) {
  const Call call(*this);
  ConsumerHeartbeatResult result;
  ConsumerGroup* group = nullptr;
  if (!IsGroupId(request.group)) {
    result.error = KafkaError::kInvalidRequest;
    result.error_message = "GroupId has 1 to 249 bytes";
  } else if (request.member_epoch == ConsumerHeartbeatRequest::kJoin) {
    group = FindOrMakeConsumer(request.group, &result.error);
  } else {
    group = FindConsumer(request.group);
    if (group == nullptr) result.error = KafkaError::kGroupIdNotFound;
  }
  if (group == nullptr) return result;
  groups_.at(request.group)->was_idle = false;
  return group->Heartbeat(std::move(request));
}

ConsumerGroupDescription GroupCoordinator::DescribeConsumerGroup(const std::string& id) const {
  const Call call(*this);
  ConsumerGroupDescription description;
  description.group = id;
  if (const ConsumerGroup* group = FindConsumer(id)) {
    group->Describe(&description);
  } else {
    description.state = "Dead";
    description.error = IsGroupId(id) ? KafkaError::kGroupIdNotFound : KafkaError::kInvalidGroupId;
  }
  return description;
}

void GroupCoordinator::TopicsChanged() {
  const Call call(*this);
  ++environment_->topics_version;
}

KafkaError GroupCoordinator::ValidateCommit(const CommitOffsetsRequest& request, bool transactional) {
  if (!IsGroupId(request.group)) return KafkaError::kInvalidGroupId;
  if (ClassicGroup* group = FindClassic(request.group)) return group->ValidateCommit(request, transactional);
  if (ConsumerGroup* group = FindConsumer(request.group)) return group->ValidateCommit(request, transactional);
  return request.generation < 0 ? KafkaError::kNone : KafkaError::kIllegalGeneration;
}

KafkaError GroupCoordinator::ValidateTransactionalCommit(const CommitOffsetsRequest& request) {
  const Call call(*this);
  return ValidateCommit(request, true);
}

void GroupCoordinator::CommitOffsets(CommitOffsetsRequest request, CommitOffsetsReply reply) {
  const Call call(*this);
  CommitOffsetsResult result;
  const KafkaError error = ValidateCommit(request, false);
  std::vector<ConsumerPosition> accepted;
  for (ConsumerPosition& position : request.positions) {
    result.errors.push_back(error == KafkaError::kNone ? ErrorOfPosition(position) : error);
    if (result.errors.back() == KafkaError::kNone) accepted.push_back(std::move(position));
  }
  if (accepted.empty()) return environment_->Answer(&reply, std::move(result));

  // Handed to the log within the lock: otherwise a commit that was in time could come after one of the next owner.
  // The log may call back at once, on this thread, and then the answer waits for the lock as all others do.
  struct Gate {
    std::thread::id thread = std::this_thread::get_id();
    std::atomic<bool> locked{true};
  };
  const auto gate = std::make_shared<Gate>();
  const std::string group = request.group;
  positions_.CommitAsync(group, std::move(accepted), [this, gate, reply, result](const Status& status) mutable {
    for (KafkaError& e : result.errors) e = e == KafkaError::kNone ? ErrorOfCommit(status) : e;
    if (gate->thread == std::this_thread::get_id() && gate->locked) {
      environment_->Answer(&reply, std::move(result));
    } else {
      reply(std::move(result));
    }
  });
  gate->locked = false;
}

FetchOffsetsResult GroupCoordinator::FetchOffsets(const FetchOffsetsRequest& request) const {
  FetchOffsetsResult result;
  if (!IsGroupId(request.group)) {
    result.error = KafkaError::kInvalidGroupId;
    return result;
  }
  {
    const Call call(*this);
    if (const ConsumerGroup* group = FindConsumer(request.group)) result.error = group->ValidateFetch(request);
    if (result.error != KafkaError::kNone) return result;
  }
  const auto is_pending = [&](const ConsumerPosition& position) {
    return request.require_stable && options_.position_is_pending &&
           options_.position_is_pending(request.group, position.topic, position.partition);
  };
  std::vector<ConsumerPosition> found;
  if (!request.partitions) {
    found = positions_.List(request.group);
  } else {
    for (const GroupPartition& wanted : *request.partitions) {
      auto position = positions_.Get(request.group, wanted.topic, wanted.partition);
      found.push_back(position ? *std::move(position) : ConsumerPosition{wanted.topic, wanted.partition, -1, "", 0});
    }
  }
  for (ConsumerPosition& position : found) {
    FetchedOffset fetched;
    if (is_pending(position)) {
      fetched.error = KafkaError::kUnstableOffsetCommit;
      position.offset = -1;
      position.metadata.clear();
    }
    fetched.position = std::move(position);
    result.offsets.push_back(std::move(fetched));
  }
  return result;
}

DeleteOffsetsResult GroupCoordinator::DeleteOffsets(const std::string& id,
                                                    const std::vector<GroupPartition>& partitions) {
  DeleteOffsetsResult result;
  if (!IsGroupId(id)) {
    result.error = KafkaError::kInvalidGroupId;
    return result;
  }
  std::vector<std::pair<std::string, int32_t>> accepted;
  {
    const Call call(*this);
    const ClassicGroup* classic = FindClassic(id);
    const ConsumerGroup* consumer = FindConsumer(id);
    if (classic != nullptr) result.error = classic->ValidateDeleteOffsets();
    if (result.error != KafkaError::kNone) return result;
    for (const GroupPartition& partition : partitions) {
      const bool subscribed = (classic != nullptr && classic->IsSubscribedTo(partition.topic)) ||
                              (consumer != nullptr && consumer->IsSubscribedTo(partition.topic));
      result.partitions.push_back(subscribed ? KafkaError::kGroupSubscribedToTopic : KafkaError::kNone);
      if (!subscribed) accepted.emplace_back(partition.topic, partition.partition);
    }
    if (accepted.empty()) return result;
    if (groups_.contains(id) && positions_.List(id).empty()) return result;
  }
  const Status deleted = positions_.Delete(id, accepted);
  if (deleted.Is(kUnknownGroup)) {
    result.error = KafkaError::kGroupIdNotFound;
    result.partitions.clear();
  } else if (!deleted.ok()) {
    for (KafkaError& error : result.partitions) {
      if (error == KafkaError::kNone) error = KafkaError::kCoordinatorNotAvailable;
    }
  }
  return result;
}

std::vector<GroupListing> GroupCoordinator::List(const std::vector<std::string>& states,
                                                 const std::vector<std::string>& types) const {
  std::vector<GroupListing> listings;
  {
    const Call call(*this);
    for (const auto& [id, group] : groups_) {
      if (const ClassicGroup* classic = group->classic.get()) {
        listings.push_back({id, classic->protocol_type(), ClassicGroup::StateName(classic->state()), "classic"});
      } else {
        listings.push_back({id, "consumer", group->consumer->state(), "consumer"});
      }
    }
  }
  std::set<std::string> in_memory;
  for (const GroupListing& listing : listings) in_memory.insert(listing.group);
  for (std::string& id : positions_.Groups()) {
    if (!in_memory.contains(id)) listings.push_back({std::move(id), "", "Empty", "classic"});
  }
  std::erase_if(listings, [&](const GroupListing& listing) {
    return !Passes(states, listing.state) || !Passes(types, listing.type);
  });
  return listings;
}

GroupDescription GroupCoordinator::Describe(const std::string& id) const {
  GroupDescription description;
  description.group = id;
  if (!IsGroupId(id)) {
    description.error = KafkaError::kInvalidGroupId;
    return description;
  }
  {
    const Call call(*this);
    if (const ClassicGroup* group = FindClassic(id)) {
      group->Describe(&description);
      return description;
    }
    if (FindConsumer(id) != nullptr) {  // DescribeConsumerGroup tells
      description.state = "Dead";
      description.error = KafkaError::kGroupIdNotFound;
      return description;
    }
  }
  const bool known = !positions_.List(id).empty();
  description.state = known ? "Empty" : "Dead";
  if (!known) description.error = KafkaError::kGroupIdNotFound;
  return description;
}

KafkaError GroupCoordinator::Delete(const std::string& id) {
  if (!IsGroupId(id)) return KafkaError::kInvalidGroupId;
  bool existed = false;
  {
    const Call call(*this);
    if (const auto it = groups_.find(id); it != groups_.end()) {
      const ClassicGroup* classic = it->second->classic.get();
      const bool is_empty = classic != nullptr ? classic->state() == ClassicGroup::State::kEmpty : it->second->IsIdle();
      if (!is_empty) return KafkaError::kNonEmptyGroup;
      existed = true;
      groups_.erase(it);
    }
  }
  const Status deleted = positions_.DeleteGroup(id);
  if (deleted.ok() || (existed && deleted.Is(kUnknownGroup))) return KafkaError::kNone;
  return deleted.Is(kUnknownGroup) ? KafkaError::kGroupIdNotFound : KafkaError::kCoordinatorNotAvailable;
}

int64_t GroupCoordinator::next_deadline_ms() const {
  std::lock_guard lock(mutex_);
  return environment_->deadlines.next_ms();
}

void GroupCoordinator::Tick(int64_t now_ms) {
  const Call call(*this, now_ms);
  while (environment_->deadlines.RunOne(now_ms)) {
  }
}

int64_t GroupCoordinator::group_count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(groups_.size());
}

int64_t GroupCoordinator::metadata_bytes() const {
  std::lock_guard lock(mutex_);
  return environment_->metadata_bytes;
}

}  // namespace tidemill
