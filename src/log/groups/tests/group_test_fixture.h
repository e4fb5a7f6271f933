#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log/groups/group_coordinator.h"
#include "log/tests/log_test_fixture.h"

namespace tidemill {

// A coordinator on a simulated disk and clock, in one thread. Time moves from deadline to deadline.
class GroupTest : public SimulatedLogTest {
 protected:
  void SetUp() override {
    OpenLog();
    TM_ASSERT_OK(log_->CreateTopic("t", {}));
    const std::vector<Record> records(100, Value("v"));
    TM_ASSERT_OK(Get()->Append(records));
    TM_ASSERT_OK(Get()->SyncUpTo(99));
    StartCoordinator({});
  }
  void TearDown() override { coordinator_.reset(); }

  void StartCoordinator(GroupOptions options) {
    coordinator_.reset();
    coordinator_ = std::make_unique<GroupCoordinator>(clock_, ++starts_, log_->positions(), std::move(options));
  }
  void Advance(int64_t ms) {
    const int64_t end_ms = coordinator_->NowMs() + ms;
    while (coordinator_->next_deadline_ms() <= end_ms) {
      const int64_t now_ms = std::max(coordinator_->NowMs(), coordinator_->next_deadline_ms());
      clock_.AdvanceMicros((now_ms - coordinator_->NowMs()) * 1000);
      coordinator_->Tick(now_ms);
    }
    clock_.AdvanceMicros((end_ms - coordinator_->NowMs()) * 1000);
    coordinator_->Tick(end_ms);
  }

  // A ConsumerProtocolSubscription (version 1) of these topics.
  static std::string Subscription(const std::vector<std::string>& topics) {
    std::string bytes{"\0\1", 2};
    bytes += std::string("\0\0\0", 3) + static_cast<char>(topics.size());
    for (const std::string& topic : topics) bytes += std::string(1, '\0') + static_cast<char>(topic.size()) + topic;
    return bytes + std::string("\xff\xff\xff\xff\0\0\0\0", 8);
  }

  struct Client {
    GroupCoordinator* coordinator = nullptr;
    JoinRequest join;
    std::optional<JoinResult> joined;  // the answer to the last join, if there is one yet
    std::optional<SyncResult> synced;
    int32_t generation = -1;
    std::shared_ptr<int> alive = std::make_shared<int>();  // an answer may come after its client is gone

    void Join() {
      joined.reset();
      coordinator->Join(join, [this, alive = std::weak_ptr(alive)](JoinResult result) {
        if (alive.expired()) return;
        if (result.error == KafkaError::kNone || result.error == KafkaError::kMemberIdRequired) {
          join.member_id = result.member_id;
        }
        if (result.error == KafkaError::kNone) generation = result.generation;
        joined = std::move(result);
      });
    }
    void Sync(std::vector<SyncRequest::Assignment> assignments = {}) {
      synced.reset();
      SyncRequest request;
      request.group = join.group;
      request.member_id = join.member_id;
      request.group_instance_id = join.group_instance_id;
      request.generation = generation;
      request.assignments = std::move(assignments);
      coordinator->Sync(std::move(request), [this, alive = std::weak_ptr(alive)](SyncResult result) {
        if (!alive.expired()) synced = std::move(result);
      });
    }
    KafkaError Heartbeat() {
      return coordinator->Heartbeat({join.group, join.member_id, join.group_instance_id, generation});
    }
    KafkaError Leave() {
      return coordinator->Leave(join.group, {{join.member_id, join.group_instance_id}}).members.at(0);
    }
    bool is_leader() const { return joined && joined->leader == joined->member_id; }
  };

  Client MakeClient(const std::string& group = "g") {
    Client client;
    client.coordinator = coordinator_.get();
    client.join.group = group;
    client.join.protocol_type = "consumer";
    client.join.protocols = {{"range", Subscription({"t"})}};
    client.join.session_timeout_ms = 10'000;
    client.join.rebalance_timeout_ms = 60'000;
    client.join.client_id = "client";
    client.join.client_host = "/127.0.0.1";
    return client;
  }
  // Members of one stable generation; what each has is its index.
  void MakeStable(const std::vector<Client*>& clients) {
    for (Client* client : clients) client->Join();
    Advance(1'000);
    std::vector<SyncRequest::Assignment> assignments;
    for (size_t i = 0; i < clients.size(); ++i) {
      ASSERT_TRUE(clients[i]->joined) << "client " << i << " waits";
      ASSERT_EQ(clients[i]->joined->error, KafkaError::kNone);
      assignments.push_back({clients[i]->join.member_id, std::to_string(i)});
    }
    for (Client* client : clients) {
      client->Sync(client->is_leader() ? assignments : std::vector<SyncRequest::Assignment>{});
    }
    for (size_t i = 0; i < clients.size(); ++i) {
      ASSERT_TRUE(clients[i]->synced) << "client " << i << " waits";
      ASSERT_EQ(clients[i]->synced->error, KafkaError::kNone);
      ASSERT_EQ(clients[i]->synced->assignment, std::to_string(i));
    }
  }
  std::optional<CommitOffsetsResult> Commit(CommitOffsetsRequest request, bool run_pending = true) {
    auto answer = std::make_shared<std::optional<CommitOffsetsResult>>();
    coordinator_->CommitOffsets(std::move(request),
                                [answer](CommitOffsetsResult result) { *answer = std::move(result); });
    if (run_pending) log_->RunPending();
    return *answer;
  }
  KafkaError CommitOne(const Client& client, int64_t offset) {
    const auto result = Commit({client.join.group,
                                client.join.member_id,
                                client.join.group_instance_id,
                                client.generation,
                                {{"t", 0, offset, "", 0}}});
    return result ? result->errors.at(0) : KafkaError::kRequestTimedOut;
  }
  int64_t Committed(const std::string& group) {
    FetchOffsetsRequest request;
    request.group = group;
    request.partitions = {{"t", 0}};
    return coordinator_->FetchOffsets(request).offsets.at(0).position.offset;
  }
  std::string StateOf(const std::string& group = "g") { return coordinator_->Describe(group).state; }

  std::unique_ptr<GroupCoordinator> coordinator_;
  uint64_t starts_ = 0;
};

}  // namespace tidemill
