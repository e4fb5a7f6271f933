#include "base/simulated_network.h"

#include <algorithm>

#include "base/errors.h"

namespace tidemill {

void SimulatedNetwork::Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) {
  std::lock_guard lock(mutex_);
  calls_.push_back({std::move(request), std::move(done)});
}

void SimulatedNetwork::SetLoss(double request_lost, double answer_lost) {
  std::lock_guard lock(mutex_);
  request_lost_ = request_lost;
  answer_lost_ = answer_lost;
}

int SimulatedNetwork::Deliver(int calls_max) {
  std::deque<Call> calls;
  {
    std::lock_guard lock(mutex_);
    const auto n =
        static_cast<std::ptrdiff_t>(std::min<size_t>(calls_.size(), static_cast<size_t>(std::max(calls_max, 0))));
    calls.insert(calls.end(), std::make_move_iterator(calls_.begin()), std::make_move_iterator(calls_.begin() + n));
    calls_.erase(calls_.begin(), calls_.begin() + n);
  }
  for (Call& call : calls) {
    bool request_lost = false, answer_lost = false;
    {
      std::lock_guard lock(mutex_);
      request_lost = random_.Double() < request_lost_;
      answer_lost = random_.Double() < answer_lost_;
    }
    const Status timeout(kTimeout, call.request.url + " did not answer");
    if (request_lost) {
      call.done(timeout);
      continue;
    }
    auto answer = handler_(call.request);
    call.done(answer_lost ? Result<HttpResponse>(timeout) : std::move(answer));
  }
  return static_cast<int>(calls.size());
}

size_t SimulatedNetwork::pending() const {
  std::lock_guard lock(mutex_);
  return calls_.size();
}

}  // namespace tidemill
