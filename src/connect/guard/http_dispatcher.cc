#include "connect/guard/http_dispatcher.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <queue>
#include <thread>

#include "base/random.h"

namespace tidemill {
namespace {

constexpr int kFailingAfter = 5;

bool IsDelivered(int status) { return status >= 200 && status < 300; }
// Answers after which the same request may succeed: overload, timeouts, and faults of the server.
bool MayRetry(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

// Seconds of a Retry-After header; 0 when absent or a date.
int64_t RetryAfterMs(const HttpResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (name.size() == 11 && strcasecmp(name.c_str(), "retry-after") == 0) {
      int64_t seconds = 0;
      for (char c : value) {
        if (c < '0' || c > '9' || seconds > 3600) return 0;
        seconds = seconds * 10 + (c - '0');
      }
      return std::min<int64_t>(seconds, 3600) * 1000;
    }
  }
  return 0;
}

}  // namespace

struct HttpDispatcher::Impl : std::enable_shared_from_this<Impl> {
  struct Job {
    HttpRequest request;
    Done done;
    int attempts = 0;
    int64_t started_ns = 0;
  };
  using JobPtr = std::shared_ptr<Job>;
  // A job that waits to be tried again, or a call that was asked for.
  struct Pause {
    int64_t due_ns;
    JobPtr job;
    std::function<void()> call;
    bool operator>(const Pause& other) const { return due_ns > other.due_ns; }
  };

  Impl(Network& network_in, const Clock& clock_in, MetricsRegistry& metrics, DispatcherOptions options_in,
       uint64_t seed)
      : network(network_in), clock(clock_in), options(std::move(options_in)), random(seed) {
    auto actions = [&](const char* outcome) {
      return metrics.GetCounter("tidemill_actions_total", "Outgoing actions by outcome",
                                {{"action", options.action}, {"outcome", outcome}});
    };
    delivered = actions("delivered");
    refused = actions("refused");
    given_up = actions("given_up");
    retries = metrics.GetCounter("tidemill_action_retries_total", "Repeated attempts of actions",
                                 {{"action", options.action}});
    duration = metrics.GetHistogram("tidemill_action_duration_seconds", "From hand-over to the last answer",
                                    {{"action", options.action}});
  }

  // Starts waiting jobs while there is room on the wire; called with the lock held.
  void Pump(std::unique_lock<std::mutex>& lock) {
    while (!stopping && !waiting.empty() && on_wire < options.in_flight_max) {
      JobPtr job = std::move(waiting.front());
      waiting.pop_front();
      ++on_wire;
      ++job->attempts;
      HttpRequest request = job->request;
      lock.unlock();
      network.Fetch(std::move(request), [self = shared_from_this(), job](Result<HttpResponse> response) {
        self->OnAnswer(job, std::move(response));
      });
      lock.lock();
    }
  }

  void OnAnswer(const JobPtr& job, Result<HttpResponse> response) {
    DispatchOutcome outcome;
    outcome.attempts = job->attempts;
    int64_t pause_ms = 0;
    bool again = false;
    if (response.ok()) {
      outcome.detail = "status " + std::to_string(response->status);
      if (IsDelivered(response->status)) {
        outcome.kind = DispatchOutcome::Kind::kDelivered;
      } else if (MayRetry(response->status)) {
        outcome.kind = DispatchOutcome::Kind::kGivenUp;
        again = true;
        pause_ms = RetryAfterMs(*response);
      } else {
        outcome.kind = DispatchOutcome::Kind::kRefused;
      }
    } else {
      outcome.detail = response.status().ToString();
      again = response.status().code().retriable;
      outcome.kind = again ? DispatchOutcome::Kind::kGivenUp : DispatchOutcome::Kind::kRefused;
    }
    std::unique_lock<std::mutex> lock(mutex);
    --on_wire;
    failures = outcome.kind == DispatchOutcome::Kind::kGivenUp ? failures + 1 : 0;
    if (again && !stopping && job->attempts < options.retry.attempts_max) {
      retries->Add();
      pause_ms = std::max(pause_ms, options.retry.PauseMs(job->attempts, random));
      pauses.push({clock.MonotonicNanos() + pause_ms * 1'000'000, job, nullptr});
      timer.notify_all();
    } else {
      Finish(lock, job, std::move(outcome));
    }
    Pump(lock);
  }

  // Called with the lock held; it is free while `done` runs.
  void Finish(std::unique_lock<std::mutex>& lock, const JobPtr& job, DispatchOutcome outcome) {
    (outcome.kind == DispatchOutcome::Kind::kDelivered ? delivered
     : outcome.kind == DispatchOutcome::Kind::kRefused ? refused
                                                       : given_up)
        ->Add();
    duration->ObserveMicros((clock.MonotonicNanos() - job->started_ns) / 1000);
    --under_way;
    lock.unlock();
    job->done(std::move(outcome));
    lock.lock();
  }

  void RunTimer() {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stopping) {
      if (pauses.empty()) {
        timer.wait(lock);
        continue;
      }
      const int64_t wait_ns = pauses.top().due_ns - clock.MonotonicNanos();
      if (wait_ns > 0) {
        timer.wait_for(lock, std::chrono::nanoseconds(std::min<int64_t>(wait_ns, 1'000'000'000)));
        continue;
      }
      Pause pause = pauses.top();
      pauses.pop();
      if (pause.job) {
        waiting.push_back(std::move(pause.job));
        Pump(lock);
      } else {
        lock.unlock();
        pause.call();
        lock.lock();
      }
    }
    while (!pauses.empty() || !waiting.empty()) {
      JobPtr job;
      if (!pauses.empty()) {
        job = pauses.top().job;
        pauses.pop();
      } else {
        job = std::move(waiting.front());
        waiting.pop_front();
      }
      if (job) Finish(lock, job, {DispatchOutcome::Kind::kGivenUp, job->attempts, "stopped"});
    }
  }

  Network& network;
  const Clock& clock;
  const DispatcherOptions options;
  mutable std::mutex mutex;
  std::condition_variable timer;
  Random random;
  std::deque<JobPtr> waiting;
  std::priority_queue<Pause, std::vector<Pause>, std::greater<>> pauses;
  int on_wire = 0;
  int64_t under_way = 0;
  int failures = 0;
  bool stopping = false;
  std::thread thread;
  Counter* delivered;
  Counter* refused;
  Counter* given_up;
  Counter* retries;
  Histogram* duration;
};

HttpDispatcher::HttpDispatcher(Network& network, const Clock& clock, MetricsRegistry& metrics,
                               DispatcherOptions options, uint64_t seed)
    : impl_(std::make_shared<Impl>(network, clock, metrics, std::move(options), seed)) {
  impl_->thread = std::thread([impl = impl_.get()] { impl->RunTimer(); });
}

HttpDispatcher::~HttpDispatcher() {
  {
    std::lock_guard<std::mutex> lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->timer.notify_all();
  impl_->thread.join();
}

bool HttpDispatcher::Submit(HttpRequest request, Done done) {
  std::unique_lock<std::mutex> lock(impl_->mutex);
  if (impl_->stopping || impl_->under_way >= impl_->options.queued_max) return false;
  ++impl_->under_way;
  auto job = std::make_shared<Impl::Job>();
  job->request = std::move(request);
  job->done = std::move(done);
  job->started_ns = impl_->clock.MonotonicNanos();
  impl_->waiting.push_back(std::move(job));
  impl_->Pump(lock);
  return true;
}

void HttpDispatcher::RunAfter(int64_t ms, std::function<void()> call) {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->pauses.push({impl_->clock.MonotonicNanos() + ms * 1'000'000, nullptr, std::move(call)});
  impl_->timer.notify_all();
}

bool HttpDispatcher::HasRoom() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->under_way < impl_->options.queued_max;
}

int64_t HttpDispatcher::under_way() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->under_way;
}

bool HttpDispatcher::IsFailing() const {
  std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->failures >= kFailingAfter;
}

}  // namespace tidemill
