#include "connect/http/http_sink.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/network.h"
#include "base/simulated_file_system.h"
#include "connect/connector.h"
#include "connect/guard/retry_policy.h"
#include "connect/guard/secrets.h"
#include "data/batch.h"
#include "log/log.h"

namespace tidemill {
namespace {

// A receiver in this process: answers as told, on threads of its own, and counts what it got by idempotency key.
class ScriptedNetwork final : public Network {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&, int attempt)>;
  explicit ScriptedNetwork(Answer answer) : answer_(std::move(answer)), thread_([this] { Run(); }) {}
  ~ScriptedNetwork() override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void Fetch(HttpRequest request, std::function<void(Result<HttpResponse>)> done) override {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_.emplace_back(std::move(request), std::move(done));
    changed_.notify_all();
  }

  std::map<std::string, int> attempts() {
    std::lock_guard<std::mutex> lock(mutex_);
    return attempts_;
  }
  template <typename Predicate>
  bool WaitFor(Predicate predicate) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return predicate(attempts_); });
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return stopping_ || !calls_.empty(); });
      if (calls_.empty()) return;
      auto [request, done] = std::move(calls_.front());
      calls_.pop_front();
      std::string key;
      for (const auto& [name, value] : request.headers) {
        if (name == "Idempotency-Key") key = value;
      }
      Result<HttpResponse> response = answer_(request, ++attempts_[key]);
      lock.unlock();
      changed_.notify_all();
      done(std::move(response));
      lock.lock();
    }
  }

  Answer answer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<HttpRequest, std::function<void(Result<HttpResponse>)>>> calls_;
  std::map<std::string, int> attempts_;
  bool stopping_ = false;
  std::thread thread_;
};

Result<HttpResponse> Status200(const HttpRequest&, int) { return HttpResponse{200, {}, ""}; }
Result<HttpResponse> Status500(const HttpRequest&, int) { return HttpResponse{500, {}, ""}; }

class HttpSinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto log = Log::Open(files_, clock_, "log");
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    log_ = std::move(*log);
    auto table = std::make_shared<TableDefinition>();
    table->name = "blocked";
    table->columns.resize(2);
    table->columns[0].name = "id";
    table->columns[0].type = DataType(TypeKind::kBigInt, false);
    table->columns[1].name = "who";
    table->columns[1].type = DataType(TypeKind::kString);
    table->primary_key = {0};
    table->options = Config({{"connector", "http"},
                             {"url", "http://127.0.0.1:1/hold"},
                             {"retry.backoff", "1 ms"},
                             {"retry.backoff-max", "5 ms"},
                             {"retry.max-attempts", "4"},
                             {"park-after", "50 ms"}});
    spec_.table = table;
  }

  void SetOption(const std::string& key, const std::string& value) {
    auto table = std::make_shared<TableDefinition>(*spec_.table);
    table->options.Set(key, value);
    spec_.table = table;
  }

  // Opens a sink with one writer against `network`.
  void Open(Network& network) {
    ConnectorContext context;
    context.files = &files_;
    context.network = &network;
    context.clock = &clock_;
    context.metrics = &metrics_;
    context.log = log_.get();
    context.job = "fraud";
    auto sink = FindConnector("http")->make_sink(spec_, context);
    ASSERT_TRUE(sink.ok()) << sink.status().ToString();
    sink_ = std::move(*sink);
    SinkContext writer;
    writer.job = "fraud";
    writer.sink_name = "blocked";
    writer.metrics = &metrics_;
    writer.clock = &clock_;
    writer.wake = [this] {
      std::lock_guard<std::mutex> lock(mutex_);
      ++wakes_;
      woken_.notify_all();
    };
    auto opened = sink_->OpenWriter(writer);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    writer_ = std::move(*opened);
  }
  void Close() {
    writer_.reset();
    sink_.reset();
  }

  void Write(std::vector<int64_t> ids) {
    arrow::Int64Builder id;
    arrow::StringBuilder who;
    for (int64_t i : ids) {
      ASSERT_TRUE(id.Append(i).ok());
      ASSERT_TRUE(who.Append("customer").ok());
    }
    const Schema schema({{"id", DataType(TypeKind::kBigInt, false)}, {"who", DataType(TypeKind::kString)}});
    Batch batch;
    batch.rows = arrow::RecordBatch::Make(schema.arrow(), static_cast<int64_t>(ids.size()),
                                          arrow::ArrayVector{id.Finish().ValueOrDie(), who.Finish().ValueOrDie()});
    ASSERT_TRUE(writer_->Write(batch).ok());
  }

  void PrepareUntilDone(int64_t epoch) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      int before;
      {
        std::lock_guard<std::mutex> lock(mutex_);
        before = wakes_;
      }
      const auto prepared = writer_->Prepare(epoch);
      ASSERT_TRUE(prepared.ok()) << prepared.status().ToString();
      if (*prepared) return;
      std::unique_lock<std::mutex> lock(mutex_);
      woken_.wait_until(lock, deadline, [&] { return wakes_ > before; });
    }
    FAIL() << "the barrier did not pass";
  }

  std::vector<std::string> KeysOf(const std::string& topic) {
    std::vector<std::string> keys;
    PartitionReader reader(*log_->partition(topic, 0), 0);
    std::vector<RecordView> records;
    EXPECT_TRUE(reader.Poll(1000, &records).ok());
    for (const RecordView& record : records) keys.emplace_back(record.key);
    return keys;
  }

  SimulatedFileSystem files_;
  SystemClock clock_;
  MetricsRegistry metrics_;
  std::unique_ptr<Log> log_;
  SinkSpec spec_;
  std::unique_ptr<Sink> sink_;
  std::unique_ptr<SinkWriter> writer_;
  std::mutex mutex_;
  std::condition_variable woken_;
  int wakes_ = 0;
};

TEST_F(HttpSinkTest, DeliversEachRowWithItsKey) {
  ScriptedNetwork network(Status200);
  Open(network);
  Write({1, 2, 3});
  PrepareUntilDone(1);
  EXPECT_EQ(network.attempts(),
            (std::map<std::string, int>{{"fraud/blocked/1", 1}, {"fraud/blocked/2", 1}, {"fraud/blocked/3", 1}}));
  EXPECT_TRUE(KeysOf("outbox.fraud.blocked").empty());
  Close();
}

TEST_F(HttpSinkTest, TriesAgainAfterAServerError) {
  ScriptedNetwork network([](const HttpRequest&, int attempt) {
    return Result<HttpResponse>(HttpResponse{attempt < 3 ? 503 : 200, {}, ""});
  });
  Open(network);
  Write({1});
  PrepareUntilDone(1);
  EXPECT_EQ(network.attempts().at("fraud/blocked/1"), 3);
  EXPECT_TRUE(KeysOf("outbox.fraud.blocked").empty());
  Close();
}

TEST_F(HttpSinkTest, ParksWhatCantBeDeliveredAndSendsItAfterARestart) {
  {
    ScriptedNetwork network(Status500);
    SetOption("retry.max-attempts", "1000");
    Open(network);
    Write({1, 2});
    PrepareUntilDone(1);
    EXPECT_EQ(KeysOf("outbox.fraud.blocked").size(), 2u);
    Close();
  }
  EXPECT_TRUE(KeysOf("dlq.blocked").empty());
  ScriptedNetwork network(Status200);
  Open(network);
  EXPECT_TRUE(network.WaitFor([](const auto& attempts) { return attempts.size() == 2; }));
  Close();
  EXPECT_EQ(network.attempts(), (std::map<std::string, int>{{"fraud/blocked/1", 1}, {"fraud/blocked/2", 1}}));
}

TEST_F(HttpSinkTest, RefusedRowsBecomeDeadLetters) {
  ScriptedNetwork network([](const HttpRequest&, int) { return Result<HttpResponse>(HttpResponse{422, {}, ""}); });
  Open(network);
  Write({7});
  PrepareUntilDone(1);
  EXPECT_EQ(network.attempts().at("fraud/blocked/7"), 1);
  EXPECT_EQ(KeysOf("dlq.blocked"), std::vector<std::string>{"fraud/blocked/7"});
  EXPECT_EQ(metrics_.SumCounter("tidemill_dlq_records_total"), 1);
  Close();
}

TEST_F(HttpSinkTest, GivesUpAfterTheLastAttemptFromTheOutbox) {
  ScriptedNetwork network(Status500);
  Open(network);
  Write({9});
  PrepareUntilDone(1);
  // 3 attempts at once, then 4 from the outbox.
  EXPECT_TRUE(network.WaitFor([](const auto& attempts) { return attempts.at("fraud/blocked/9") == 7; }));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (KeysOf("dlq.blocked").empty() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(KeysOf("dlq.blocked"), std::vector<std::string>{"fraud/blocked/9"});
  Close();
}

// Answers nothing until it is told to.
class SilentNetwork final : public Network {
 public:
  ~SilentNetwork() override { AnswerAll(); }
  void Fetch(HttpRequest, std::function<void(Result<HttpResponse>)> done) override {
    std::lock_guard<std::mutex> lock(mutex_);
    held_.push_back(std::move(done));
  }
  void AnswerAll() {
    std::vector<std::function<void(Result<HttpResponse>)>> held;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      held.swap(held_);
    }
    for (auto& done : held) done(Status(kTimeout, "no answer"));
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void(Result<HttpResponse>)>> held_;
};

TEST_F(HttpSinkTest, AnUnansweredRowDoesNotHoldTheBarrier) {
  SilentNetwork network;
  Open(network);
  Write({5});
  PrepareUntilDone(1);
  EXPECT_EQ(KeysOf("outbox.fraud.blocked"), std::vector<std::string>{"fraud/blocked/5"});
  // Closing waits for the calls on the wire: answer them from elsewhere, as the network would.
  std::atomic<bool> closed{false};
  std::thread answers([&] {
    while (!closed) network.AnswerAll();
  });
  Close();
  closed = true;
  answers.join();
}

TEST(RetryPolicyTest, PausesStayWithinDoublingBounds) {
  RetryPolicy policy{10, 100, 1'000};
  Random random(1);
  for (int attempts = 1; attempts < 60; ++attempts) {
    const int64_t bound = attempts <= 4 ? 100 << (attempts - 1) : 1'000;
    for (int i = 0; i < 50; ++i) {
      const int64_t pause = policy.PauseMs(attempts, random);
      EXPECT_GE(pause, 1);
      EXPECT_LE(pause, std::min<int64_t>(bound, 1'000));
    }
  }
}

TEST(SecretsTest, ResolvesEnvironmentAndFiles) {
  SimulatedFileSystem files;
  ASSERT_TRUE(WriteFileAtomically(files, "token", "abc\n").ok());
  setenv("TIDEMILL_TEST_SECRET", "xyz", 1);
  EXPECT_EQ(*ResolveSecrets("a ${env:TIDEMILL_TEST_SECRET} b ${file:token}", files), "a xyz b abc");
  EXPECT_FALSE(ResolveSecrets("${env:TIDEMILL_TEST_ABSENT}", files).ok());
  EXPECT_FALSE(ResolveSecrets("${other}", files).ok());
}

}  // namespace
}  // namespace tidemill
