#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "log/kafka_error.h"
#include "log/log.h"
#include "log/wire/messages/fetch.h"

namespace tidemill::wire {

// A partition that a client fetches, and what it was last told of it.
struct FetchedPartition {
  std::string topic;   // up to version 12 of the request
  TopicId topic_id{};  // from 13 on
  int32_t partition = 0;
  int64_t fetch_offset = 0;
  int32_t leader_epoch = -1;
  int32_t bytes_max = 0;
  int64_t high_watermark = -1;
  int64_t log_start = -1;

  bool SameTopic(const FetchedPartition& other) const { return topic == other.topic && topic_id == other.topic_id; }
};

// What one fetch is about.
struct FetchContext {
  KafkaError error = KafkaError::kNone;
  int32_t session_id = 0;      // of the session it belongs to, where only news is answered; 0: all is
  bool opens_session = false;  // the client would like one
  std::vector<FetchedPartition> partitions;
};

// Fetch sessions (KIP-227): the server remembers which partitions a client fetches, so that requests and answers carry
// only what is new. Bounded: sessions of clients that went away are dropped for new ones, and where there is no room a
// client is served without. Thread-safe.
class FetchSessions {
 public:
  explicit FetchSessions(uint64_t seed, size_t sessions_max = 1000, size_t partitions_max = 200'000)
      : random_(seed), sessions_max_(sessions_max), partitions_max_(partitions_max) {}

  // `owner`: who asks; a session is of nobody else.
  FetchContext Begin(const FetchRequest& request, std::string_view owner, int64_t now_ms);
  // After a fetch that opens a session was answered, with what was told. The new session's id, or 0 without room.
  int32_t Open(const std::vector<FetchedPartition>& partitions, std::string_view owner, int64_t now_ms);
  // After a fetch within a session was answered: what was told, of those partitions that were in the answer. Those that
  // had records go to the end of the line.
  void Told(int32_t session_id, const std::vector<FetchedPartition>& partitions, const std::vector<bool>& had_records);
  size_t size() const;

 private:
  using Key = std::tuple<std::string, TopicId, int32_t>;
  struct Session {
    std::string owner;
    bool uses_ids = false;
    int32_t epoch = 1;  // of the next request
    int64_t used_ms = 0;
    std::list<FetchedPartition> partitions;  // in the order in which they are served
    std::map<Key, std::list<FetchedPartition>::iterator> by_key;

    void Put(FetchedPartition partition);
    void Remove(const Key& key);
  };

  static Key KeyOf(const FetchedPartition& partition) {
    return {partition.topic, partition.topic_id, partition.partition};
  }
  KafkaError UpdateLocked(Session* session, const FetchRequest& request);
  void DropLocked(int32_t session_id);
  bool MakeRoomLocked(size_t partitions, int64_t now_ms);

  mutable std::mutex mutex_;
  Random random_;
  const size_t sessions_max_;
  const size_t partitions_max_;
  size_t partitions_ = 0;  // of all sessions
  std::map<int32_t, Session> sessions_;
};

}  // namespace tidemill::wire
