#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "log/groups/deadline_queue.h"
#include "log/groups/group_options.h"

namespace tidemill {

// What the groups of one coordinator share; guarded by its mutex.
struct GroupEnvironment {
  const GroupOptions& options;
  Random& random;
  DeadlineQueue deadlines = {};
  std::vector<std::function<void()>> outbox = {};  // answers, to be given when the mutex is free
  int64_t now_ms = 0;                              // when the call being served began
  int64_t metadata_bytes = 0;
  int64_t topics_version = 0;  // raised when topics come, go or grow

  // Gives the answer later, and leaves `reply` empty. Nothing if it is empty already.
  template <typename Result>
  void Answer(std::function<void(Result)>* reply, Result result) {
    if (!*reply) return;
    outbox.push_back([reply = std::exchange(*reply, nullptr), result = std::move(result)] { reply(result); });
  }
  // Swaps `*held` bytes for `wanted`. False, and nothing changes: all groups together would hold too much.
  bool Charge(int64_t* held, int64_t wanted) {
    if (wanted > *held && metadata_bytes - *held + wanted > options.metadata_bytes_max) return false;
    metadata_bytes += wanted - *held;
    *held = wanted;
    return true;
  }
  void Release(int64_t* held) { Charge(held, 0); }
  // `prefix` and 122 random bits, as Kafka writes them: <client id>-<UUID>.
  std::string MakeMemberId(const std::string& prefix);
};

}  // namespace tidemill
