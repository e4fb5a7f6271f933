#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "connect/pubsub/pubsub_client.h"
#include "connect/pubsub/pubsub_options.h"

namespace tidemill {

// Messages of a subscription from their arrival to their acknowledgement. A thread receives; another one keeps what is
// not acknowledged yet from being sent again, and acknowledges what Settle names. A message that comes again all the
// same is kept once. Bounded by the options' outstanding messages and bytes. Thread-safe.
class PubsubLease {
 public:
  // `wake`: any thread, when there is something to take.
  PubsubLease(std::shared_ptr<PubsubClient> client, const PubsubTableOptions& options, const Clock& clock,
              std::function<void()> wake);
  // Gives back what was not acknowledged, so that others have it at once; some milliseconds.
  ~PubsubLease();

  // Nothing is woken any more.
  void Detach();
  // At most so many, in the order they came. An error when receiving can't go on.
  Status Take(int messages_max, std::vector<PubsubMessage>* messages);
  // The first so many that were taken are done with.
  void Settle(int64_t taken);

 private:
  struct Held {
    std::string id;
    std::string ack_id;
    int64_t bytes = 0;
  };
  void Wake();
  void Receive();
  void Keep();
  // False when receiving must stop.
  bool Add(std::vector<PubsubMessage> messages);
  void SendAcks(const std::vector<std::string>& ack_ids);
  void Extend(const std::vector<std::string>& ack_ids, int seconds);
  std::vector<std::string> HeldAckIds();

  const std::shared_ptr<PubsubClient> client_;
  const PubsubTableOptions options_;
  const Clock& clock_;

  std::mutex wake_mutex_;
  std::function<void()> wake_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  bool stopping_ = false;
  Status failed_;
  PubsubStream* stream_ = nullptr;                      // that is being read
  std::deque<PubsubMessage> queue_;                     // not taken yet
  std::deque<Held> held_;                               // taken, by place: the first is number settled_
  std::unordered_map<std::string, std::string> again_;  // newer ack ids of held messages, by id
  std::unordered_set<std::string> known_;               // ids of queue_ and held_
  std::vector<std::string> acks_;                       // to be sent
  int64_t settled_ = 0;
  int64_t bytes_ = 0;
  std::thread receiver_;
  std::thread keeper_;
};

}  // namespace tidemill
