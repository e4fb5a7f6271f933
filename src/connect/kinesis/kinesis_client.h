#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/status.h"
#include "connect/kinesis/kinesis_options.h"

namespace tidemill {

struct KinesisShard {
  std::string id;
  std::vector<std::string> parents;  // those that it was made of by a split or a merge
  bool closed = false;
  unsigned __int128 hash_first = 0;
  unsigned __int128 hash_last = ~static_cast<unsigned __int128>(0);
};

struct KinesisRecord {
  std::string data;
  std::string partition_key;
  std::string sequence_number;
  int64_t arrival_ms = 0;
};

struct KinesisRecords {
  std::vector<KinesisRecord> records;
  std::string next_iterator;  // empty: the shard has ended
  int64_t millis_behind = 0;
};

struct KinesisOutgoing {
  std::string data;
  std::string partition_key;
};

// Ends what waits, for good. Any thread.
class WaitStop {
 public:
  void Stop();
  bool stopped() const;
  // False when it was stopped.
  bool SleepMs(int64_t ms);

 private:
  friend class KinesisClient;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
};

// Calls of Kinesis Data Streams: its JSON protocol over HTTPS, signed. Thread-safe; every call blocks, up to the
// timeout or until `stop`.
class KinesisClient {
 public:
  KinesisClient(Network& network, const Clock& clock, KinesisTableOptions options, AwsCredentials credentials)
      : network_(network), clock_(clock), options_(std::move(options)), credentials_(std::move(credentials)) {}
  const KinesisTableOptions& options() const { return options_; }

  Result<std::vector<KinesisShard>> ListShards(const std::shared_ptr<WaitStop>& stop);
  // `place`: the JSON members that say where, such as "ShardIteratorType":"TRIM_HORIZON".
  Result<std::string> ShardIterator(const std::string& shard, const std::string& place,
                                    const std::shared_ptr<WaitStop>& stop);
  Result<KinesisRecords> GetRecords(const std::string& iterator, const std::shared_ptr<WaitStop>& stop);
  // `left` gets the numbers of the records that Kinesis did not take now.
  Status PutRecords(const std::vector<KinesisOutgoing>& records, const std::shared_ptr<WaitStop>& stop,
                    std::vector<size_t>* left, std::string* why);

 private:
  Result<std::string> Call(const char* action, std::string body, const std::shared_ptr<WaitStop>& stop);
  std::string StreamMember() const;

  Network& network_;
  const Clock& clock_;
  const KinesisTableOptions options_;
  const AwsCredentials credentials_;
};

// True for what passes: too much at once, a server that is away.
bool IsPassingKinesisError(const Status& status);
// True where a new iterator is needed.
bool IsExpiredIterator(const Status& status);

// For tests and the fuzzer: bytes of an answer.
Result<KinesisRecords> ParseKinesisRecords(std::string_view json);
Result<std::vector<KinesisShard>> ParseKinesisShards(std::string_view json, std::string* next_token);

}  // namespace tidemill
