#include "connect/http/http_sink.h"

#include <chrono>
#include <map>
#include <mutex>
#include <thread>

#include <xxhash.h>

#include "connect/errors.h"
#include "connect/guard/http_dispatcher.h"
#include "connect/guard/secrets.h"
#include "connect/http/http_options.h"
#include "connect/http/outbox.h"
#include "connect/persisted_columns.h"
#include "data/format.h"

namespace tidemill {
namespace {

constexpr size_t kReadableKeyBytesMax = 64;
constexpr int kCallbackWaitMs = 5'000;

// The rows of one writer that are not settled yet. Shared with callbacks, so it outlives the writer.
struct Unsettled {
  std::mutex mutex;
  std::map<uint64_t, OutgoingRow> on_the_way;  // handed to the dispatcher
  int64_t awaiting_disk = 0;                   // being parked or dead-lettered
  Status failed;                               // the disk refused
  std::function<void()> wake;
  const Clock* clock = nullptr;
  Histogram* latency = nullptr;  // from append to the receiver's answer

  bool empty() {
    std::lock_guard<std::mutex> lock(mutex);
    return on_the_way.empty() && awaiting_disk == 0;
  }
};
using UnsettledPtr = std::shared_ptr<Unsettled>;

struct HttpSinkShared {
  std::string job;
  std::string table;
  HttpTableOptions options;
  Schema schema;
  std::vector<int> key_columns;  // of the primary key and the event time; empty: the row's content is the key
  RequestTemplate request;
  std::unique_ptr<Outbox> outbox;
  std::unique_ptr<HttpDispatcher> dispatcher;
};

std::function<void(Status)> OnDisk(const UnsettledPtr& rows) {
  return [rows](Status status) {
    {
      std::lock_guard<std::mutex> lock(rows->mutex);
      --rows->awaiting_disk;
      if (!status.ok()) rows->failed = std::move(status);
    }
    if (rows->wake) rows->wake();
  };
}

std::string PercentEncoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == ':') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out;
}

std::string ContentHash(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  char out[33];
  std::snprintf(out, sizeof out, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return out;
}

class HttpSinkWriter final : public SinkWriter {
 public:
  static Result<std::unique_ptr<SinkWriter>> Make(const std::shared_ptr<HttpSinkShared>& shared, SinkContext context) {
    auto writer = std::unique_ptr<HttpSinkWriter>(new HttpSinkWriter(shared, std::move(context)));
    TM_ASSIGN_OR_RETURN(writer->bodies_,
                        MakeRowEncoder(shared->options.format, shared->schema, shared->options.format_options));
    if (!shared->key_columns.empty()) {
      std::vector<Field> fields;
      for (int column : shared->key_columns) fields.push_back(shared->schema.field(column));
      writer->key_schema_ = Schema(std::move(fields));
      TM_ASSIGN_OR_RETURN(writer->keys_, MakeRowEncoder("csv", writer->key_schema_, Config()));
    }
    return std::unique_ptr<SinkWriter>(std::move(writer));
  }

  Status Write(Batch batch) override {
    body_bytes_.clear();
    key_bytes_.clear();
    TM_RETURN_IF_ERROR(bodies_->Encode(batch, body_bytes_, body_ends_));
    if (keys_) TM_RETURN_IF_ERROR(keys_->Encode(batch.WithRows(KeyRows(*batch.rows)), key_bytes_, key_ends_));
    size_t body_start = 0;
    size_t key_start = 0;
    for (size_t i = 0; i < body_ends_.size(); ++i) {
      OutgoingRow row;
      row.body = body_bytes_.substr(body_start, body_ends_[i] - body_start);
      body_start = body_ends_[i];
      std::string_view key;
      if (keys_) {
        key = std::string_view(key_bytes_).substr(key_start, key_ends_[i] - key_start);
        key_start = key_ends_[i];
      }
      row.key = IdempotencyKey(key, row.body);
      row.ingest_us = batch.ingest_us;
      Send(std::move(row));
    }
    std::lock_guard<std::mutex> lock(rows_->mutex);
    return rows_->failed;
  }

  bool HasRoom() const override {
    std::lock_guard<std::mutex> lock(rows_->mutex);
    return static_cast<int64_t>(rows_->on_the_way.size()) + rows_->awaiting_disk < shared_->options.buffer_rows;
  }

  Result<std::optional<std::string>> Prepare(int64_t epoch) override {
    {
      std::lock_guard<std::mutex> lock(rows_->mutex);
      TM_RETURN_IF_ERROR(rows_->failed);
    }
    if (rows_->empty()) return std::optional<std::string>("");
    if (epoch != preparing_) {
      preparing_ = epoch;
      shared_->dispatcher->RunAfter(shared_->options.park_after_ms,
                                    [rows = rows_, shared = std::weak_ptr<HttpSinkShared>(shared_), end = next_id_] {
                                      if (auto alive = shared.lock()) ParkBefore(*alive, rows, end);
                                    });
    }
    return std::optional<std::string>();
  }

 private:
  HttpSinkWriter(std::shared_ptr<HttpSinkShared> shared, SinkContext context)
      : shared_(std::move(shared)), rows_(std::make_shared<Unsettled>()) {
    rows_->wake = std::move(context.wake);
    rows_->clock = context.clock;
    rows_->latency = context.metrics->GetHistogram("tidemill_action_latency_seconds",
                                                   "From append of the event to the receiver's answer",
                                                   {{"action", shared_->job + "/" + shared_->table}});
  }

  std::shared_ptr<arrow::RecordBatch> KeyRows(const arrow::RecordBatch& rows) const {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int column : shared_->key_columns) columns.push_back(rows.column(column));
    return arrow::RecordBatch::Make(key_schema_.arrow(), rows.num_rows(), std::move(columns));
  }

  std::string IdempotencyKey(std::string_view key, std::string_view body) const {
    const bool readable = keys_ && key.size() <= kReadableKeyBytesMax;
    return PercentEncoded(shared_->job) + "/" + PercentEncoded(shared_->table) + "/" +
           (readable ? PercentEncoded(key) : ContentHash(keys_ ? key : body));
  }

  void Send(OutgoingRow row) {
    if (shared_->dispatcher->IsFailing()) return Park(*shared_, rows_, row);
    const uint64_t id = next_id_++;
    HttpRequest request = shared_->request.Make(row);
    {
      std::lock_guard<std::mutex> lock(rows_->mutex);
      rows_->on_the_way.emplace(id, row);
    }
    const bool taken = shared_->dispatcher->Submit(
        std::move(request), [rows = rows_, shared = std::weak_ptr<HttpSinkShared>(shared_),
                             id](DispatchOutcome outcome) { OnOutcome(shared.lock(), rows, id, outcome); });
    if (taken) return;
    {
      std::lock_guard<std::mutex> lock(rows_->mutex);
      rows_->on_the_way.erase(id);
    }
    Park(*shared_, rows_, row);
  }

  static void OnOutcome(const std::shared_ptr<HttpSinkShared>& shared, const UnsettledPtr& rows, uint64_t id,
                        const DispatchOutcome& outcome) {
    const bool delivered = outcome.kind == DispatchOutcome::Kind::kDelivered;
    OutgoingRow row;
    {
      std::lock_guard<std::mutex> lock(rows->mutex);
      const auto found = rows->on_the_way.find(id);
      if (found == rows->on_the_way.end()) return;  // parked meanwhile: the outbox settles it
      row = std::move(found->second);
      rows->on_the_way.erase(found);
      if (!delivered) ++rows->awaiting_disk;
    }
    if (delivered) {
      if (row.ingest_us > 0) rows->latency->ObserveMicros(rows->clock->NowMicros() - row.ingest_us);
      if (rows->wake) rows->wake();
    } else if (shared == nullptr) {
      OnDisk(rows)(Status(kTimeout, "stopped"));  // the job is over: the next run sends it again
    } else if (outcome.kind == DispatchOutcome::Kind::kRefused) {
      shared->outbox->DeadLetter(row, outcome, OnDisk(rows));
    } else {
      shared->outbox->Park(row, OnDisk(rows));
    }
  }

  static void Park(HttpSinkShared& shared, const UnsettledPtr& rows, const OutgoingRow& row) {
    {
      std::lock_guard<std::mutex> lock(rows->mutex);
      ++rows->awaiting_disk;
    }
    shared.outbox->Park(row, OnDisk(rows));
  }

  // The barrier has waited long enough: what the receiver has not answered yet goes to the outbox.
  static void ParkBefore(HttpSinkShared& shared, const UnsettledPtr& rows, uint64_t end) {
    std::vector<OutgoingRow> late;
    {
      std::lock_guard<std::mutex> lock(rows->mutex);
      while (!rows->on_the_way.empty() && rows->on_the_way.begin()->first < end) {
        late.push_back(std::move(rows->on_the_way.begin()->second));
        rows->on_the_way.erase(rows->on_the_way.begin());
        ++rows->awaiting_disk;
      }
    }
    for (const OutgoingRow& row : late) shared.outbox->Park(row, OnDisk(rows));
  }

  std::shared_ptr<HttpSinkShared> shared_;
  UnsettledPtr rows_;
  std::unique_ptr<RowEncoder> bodies_;
  std::unique_ptr<RowEncoder> keys_;
  Schema key_schema_;
  std::string body_bytes_;
  std::string key_bytes_;
  std::vector<size_t> body_ends_;
  std::vector<size_t> key_ends_;
  uint64_t next_id_ = 0;
  int64_t preparing_ = -1;
};

class HttpSink final : public Sink {
 public:
  explicit HttpSink(std::shared_ptr<HttpSinkShared> shared) : shared_(std::move(shared)) {}
  // Callbacks hold `shared_` for as long as an append takes. The last owner must not be one of them: it would wait for
  // itself.
  ~HttpSink() override {
    for (int waited_ms = 0; shared_.use_count() > 1 && waited_ms < kCallbackWaitMs; ++waited_ms) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    return HttpSinkWriter::Make(shared_, std::move(context));
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return Status::OK(); }

 private:
  std::shared_ptr<HttpSinkShared> shared_;
};

Status ValidateHttp(const TableDefinition& table, bool, bool, const ConnectorContext&) {
  return ParseHttpTableOptions(table).status();
}

Result<RequestTemplate> MakeRequestTemplate(const HttpTableOptions& options, FileSystem& files) {
  RequestTemplate made;
  made.base.method = options.method;
  TM_ASSIGN_OR_RETURN(made.base.url, ResolveSecrets(options.url, files));
  made.base.headers.emplace_back("Content-Type", options.format == "json" ? "application/json" : "text/plain");
  for (const auto& [name, value] : options.headers) {
    TM_ASSIGN_OR_RETURN(std::string resolved, ResolveSecrets(value, files));
    made.base.headers.emplace_back(name, std::move(resolved));
  }
  made.base.timeout_ms = options.timeout_ms;
  made.base.allow_addresses = options.allow_addresses;
  return made;
}

Result<std::unique_ptr<Sink>> MakeHttpSink(const SinkSpec& sink, const ConnectorContext& context) {
  if (context.log == nullptr || context.network == nullptr) {
    return Status(kInvalidConfig,
                  "table '" + sink.table->name + "' needs the network and the embedded log, which are not open");
  }
  auto shared = std::make_shared<HttpSinkShared>();
  TM_ASSIGN_OR_RETURN(shared->options, ParseHttpTableOptions(*sink.table));
  shared->job = context.job;
  shared->table = sink.table->name;
  shared->schema = PersistedSchema(*sink.table);
  std::vector<int> key = sink.table->primary_key;
  if (!key.empty() && sink.table->rowtime_column >= 0) key.push_back(sink.table->rowtime_column);
  for (int column : key) {
    const int index = PersistedIndexOf(*sink.table, column);
    if (index >= 0) shared->key_columns.push_back(index);
  }
  TM_ASSIGN_OR_RETURN(shared->request, MakeRequestTemplate(shared->options, *context.files));
  const std::string action = context.job + "/" + sink.table->name;
  TM_ASSIGN_OR_RETURN(shared->outbox,
                      Outbox::Open(*context.log, *context.network, *context.clock, *context.metrics, shared->options,
                                   shared->request, "outbox." + context.job + "." + sink.table->name, action));
  DispatcherOptions dispatcher;
  dispatcher.in_flight_max = shared->options.in_flight_max;
  dispatcher.queued_max = shared->options.buffer_rows;
  dispatcher.retry = shared->options.first_retry;
  dispatcher.action = action;
  shared->dispatcher = std::make_unique<HttpDispatcher>(*context.network, *context.clock, *context.metrics, dispatcher,
                                                        static_cast<uint64_t>(context.clock->NowMicros()));
  return std::unique_ptr<Sink>(new HttpSink(std::move(shared)));
}

}  // namespace

Connector HttpConnector() {
  Connector connector;
  connector.name = "http";
  connector.summary = "A webhook: one request a row, with an idempotency key, retries, an outbox and dead letters";
  connector.is_sink = true;
  connector.sends_at_once = true;
  connector.takes_format = true;
  connector.options = {
      {"url", true, "", "http:// or https:// address; may hold ${env:NAME} or ${file:PATH}"},
      {"method", false, "POST", "POST, PUT or PATCH"},
      {"header.*", false, "", "a header of every request; may hold ${env:NAME} or ${file:PATH}"},
      {"timeout", false, "10 s", "of one attempt"},
      {"max-in-flight", false, "64", "requests on the wire at a time"},
      {"buffer-rows", false, "10000", "rows in memory that are not settled; above it the input waits"},
      {"retry.attempts-before-outbox", false, "3", "attempts before a row is parked in the outbox topic"},
      {"retry.max-attempts", false, "20", "attempts from the outbox before a row is a dead letter"},
      {"retry.backoff", false, "100 ms", "first pause; doubles, with jitter"},
      {"retry.backoff-max", false, "60 s", "longest pause"},
      {"park-after", false, "500 ms", "how long a barrier waits for answers before it parks what is open"},
      {"dead-letter-topic", false, "dlq.<table>", "topic of rows that were refused or given up"},
      {"allow-addresses", false, "", "hosts, addresses or CIDR blocks beyond public ones, separated by commas"},
  };
  connector.validate = &ValidateHttp;
  connector.make_sink = &MakeHttpSink;
  return connector;
}

}  // namespace tidemill
