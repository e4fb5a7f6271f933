#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/network.h"
#include "base/status.h"
#include "connect/guard/retry_policy.h"

namespace tidemill {

// What became of a request.
struct DispatchOutcome {
  enum class Kind : uint8_t {
    kDelivered,  // a 2xx answer
    kRefused,    // an answer that trying again will not change: 4xx other than 408, 425, 429
    kGivenUp,    // attempts used up, or stopped
  };
  Kind kind = Kind::kDelivered;
  int attempts = 0;
  std::string detail;  // of the last answer or error
};

struct DispatcherOptions {
  int in_flight_max = 64;   // calls on the wire at a time
  int queued_max = 10'000;  // accepted and not yet done, those on the wire and those pausing included
  RetryPolicy retry;
  std::string action;  // label of the metrics: the sink's name
};

// Sends requests with a bound on what is in flight, retries with backoff and jitter, and honours Retry-After.
// Thread-safe. One thread of its own for pauses; calls themselves run on the network's.
class HttpDispatcher {
 public:
  using Done = std::function<void(DispatchOutcome)>;  // once a request; on the network's or the dispatcher's thread
  HttpDispatcher(Network& network, const Clock& clock, MetricsRegistry& metrics, DispatcherOptions options,
                 uint64_t seed);
  // Stops: what is pausing or queued ends as kGivenUp. Calls on the wire end later, with their answer: `done` owns what
  // it uses.
  ~HttpDispatcher();

  // False, and nothing taken, when `queued_max` are under way.
  bool Submit(HttpRequest request, Done done);
  bool HasRoom() const;
  // Runs `call` on the dispatcher's thread after `ms`; not at all when it stops before.
  void RunAfter(int64_t ms, std::function<void()> call);
  int64_t under_way() const;
  // True while the last calls failed and none has succeeded since: the receiver is down.
  bool IsFailing() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill
