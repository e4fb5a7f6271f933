#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/network.h"
#include "base/status.h"
#include "connect/guard/http_dispatcher.h"
#include "connect/http/http_options.h"
#include "log/log.h"

namespace tidemill {

// One row on its way to a receiver.
struct OutgoingRow {
  std::string key;  // idempotency key
  std::string body;
  int64_t ingest_us = 0;  // Batch::ingest_us of its batch
};

// Turns rows into requests: address, headers and secrets resolved once.
struct RequestTemplate {
  HttpRequest base;
  HttpRequest Make(const OutgoingRow& row) const;
};

// Rows that could not be delivered at once, in a topic of the embedded log. A thread of its own sends them again,
// oldest first, with long pauses; those that are refused, or whose attempts are used up, become dead letters. The place
// reached is kept in the log, so that a restart goes on there. Thread-safe.
class Outbox {
 public:
  static Result<std::unique_ptr<Outbox>> Open(Log& log, Network& network, const Clock& clock, MetricsRegistry& metrics,
                                              const HttpTableOptions& options, RequestTemplate request,
                                              std::string topic, std::string action);
  // Calls on the wire are waited for (at most their timeout).
  ~Outbox();

  // Both: `done` runs once the row is on disk, or failed to get there.
  void Park(const OutgoingRow& row, std::function<void(Status)> done);
  void DeadLetter(const OutgoingRow& row, const DispatchOutcome& outcome, std::function<void(Status)> done);

 private:
  Outbox(Log& log, const HttpTableOptions& options, RequestTemplate request, std::string topic, std::string action);
  void Drain();
  Status DrainSome(PartitionReader& reader, bool* idle);
  // False when it is stopping: then nothing was taken.
  bool Submit(const OutgoingRow& row, std::function<void(Status)> settled);

  Log& log_;
  const HttpTableOptions options_;
  const RequestTemplate request_;
  const std::string topic_;
  const std::string group_;
  std::shared_ptr<Partition> parked_;
  std::shared_ptr<Partition> dead_;
  std::unique_ptr<HttpDispatcher> dispatcher_;
  Counter* dead_count_ = nullptr;
  int64_t position_ = 0;  // of the draining thread
  std::mutex mutex_;
  std::condition_variable changed_;
  bool appended_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tidemill
