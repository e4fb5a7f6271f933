#pragma once

#include <deque>
#include <functional>
#include <mutex>

#include "base/network.h"
#include "base/random.h"

namespace tidemill {

// A network whose other side is a function: answers come when `Deliver` is called, on the caller's thread, in the order
// of the calls. With `SetLoss` some requests get lost on the way there (the handler never sees them) and some answers
// on the way back (it has acted, the caller gets kTimeout): the two cases that idempotency keys are for. Thread-safe.
class SimulatedNetwork final : public Network {
 public:
  using Handler = std::function<Result<HttpResponse>(const HttpRequest&)>;
  explicit SimulatedNetwork(Handler handler, uint64_t seed = 1) : handler_(std::move(handler)), random_(seed) {}

  void Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override;

  // Probabilities in [0, 1].
  void SetLoss(double request_lost, double answer_lost);
  // Answers what was asked before this call, at most `calls_max`; returns how many.
  int Deliver(int calls_max = INT32_MAX);
  size_t pending() const;

 private:
  struct Call {
    HttpRequest request;
    std::function<void(Result<HttpResponse>)> done;
  };
  Handler handler_;
  mutable std::mutex mutex_;
  std::deque<Call> calls_;
  Random random_;
  double request_lost_ = 0;
  double answer_lost_ = 0;
};

}  // namespace tidemill
