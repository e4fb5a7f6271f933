#include "connect/feature_store/feature_store_sink.h"

#include <algorithm>

#include <arrow/api.h>

#include "connect/errors.h"
#include "connect/persisted_columns.h"
#include "data/format.h"
#include "feature/errors.h"
#include "feature/feature_store.h"

namespace tidemill {
namespace {

// Sorts out the rows that the store can't hold; the common batch passes untouched.
class RowGate {
 public:
  RowGate(const FeatureView& view, std::string sink_name, RejectSink* rejects)
      : schema_(view.schema),
        event_time_(view.event_time_column()),
        entities_(view.entity_columns()),
        sink_name_(std::move(sink_name)),
        rejects_(rejects) {}

  Result<Batch> Pass(Batch batch) {
    bool clean = batch.row_kinds == nullptr && batch.rows->column(event_time_)->null_count() == 0;
    for (const int entity : entities_) clean = clean && batch.rows->column(entity)->null_count() == 0;
    if (clean) return batch;
    const auto* kinds = static_cast<const arrow::Int8Array*>(batch.row_kinds.get());
    std::vector<int32_t> good;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      const RowKind kind = kinds == nullptr ? RowKind::kInsert : static_cast<RowKind>(kinds->Value(row));
      if (kind == RowKind::kUpdateBefore) continue;
      RejectedRow rejected{.reason = RejectReason::kNotNull, .source = sink_name_};
      if (kind == RowKind::kDelete) {
        rejected.reason = RejectReason::kUndeliverable;
        rejected.detail = "the feature store keeps every version of a row and takes no deletes";
      } else if (batch.rows->column(event_time_)->IsNull(row)) {
        rejected.reason = RejectReason::kNullRowtime;
        rejected.field = schema_.field(event_time_).name;
        rejected.detail = "NULL event time";
      } else {
        for (const int entity : entities_) {
          if (!batch.rows->column(entity)->IsNull(row)) continue;
          rejected.field = schema_.field(entity).name;
          rejected.detail = "NULL in the primary key";
        }
        if (rejected.field.empty()) {
          good.push_back(static_cast<int32_t>(row));
          continue;
        }
      }
      TM_RETURN_IF_ERROR(Refuse(std::move(rejected), batch.Slice(row, 1)));
    }
    TM_ASSIGN_OR_RETURN(Batch passed, TakeRows(batch, good));
    passed.row_kinds = nullptr;
    return passed;
  }

 private:
  Status Refuse(RejectedRow rejected, const Batch& row) {
    if (encoder_ == nullptr) {
      TM_ASSIGN_OR_RETURN(encoder_, MakeJsonEncoder(schema_, Config()));
    }
    std::vector<size_t> ends;
    TM_RETURN_IF_ERROR(encoder_->Encode(Batch{row.rows}, rejected.raw, ends));
    if (rejects_ != nullptr) rejects_->Reject(std::move(rejected));
    return Status::OK();
  }

  const Schema schema_;
  const int event_time_;
  const std::vector<int> entities_;
  const std::string sink_name_;
  RejectSink* rejects_;
  std::unique_ptr<RowEncoder> encoder_;
};

class FeatureStoreSinkWriter final : public SinkWriter {
 public:
  FeatureStoreSinkWriter(RowGate gate, std::unique_ptr<FeatureWriter> writer)
      : gate_(std::move(gate)), writer_(std::move(writer)) {}

  Status Write(Batch batch) override {
    TM_ASSIGN_OR_RETURN(batch, gate_.Pass(std::move(batch)));
    return batch.num_rows() == 0 ? Status::OK() : writer_->Write(batch.rows);
  }
  bool HasRoom() const override { return writer_->HasRoom(); }
  Result<std::optional<std::string>> Prepare(int64_t epoch) override { return writer_->Prepare(epoch); }
  void Close() noexcept override { writer_.reset(); }

 private:
  RowGate gate_;
  std::unique_ptr<FeatureWriter> writer_;
};

class FeatureStoreSink final : public Sink {
 public:
  FeatureStoreSink(FeatureStore& store, FeatureView view) : store_(store), view_(std::move(view)) {}

  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext context) override {
    TM_ASSIGN_OR_RETURN(std::unique_ptr<FeatureWriter> writer,
                        store_.OpenWriter(view_.name, context.subtask, context.wake));
    return std::unique_ptr<SinkWriter>(std::make_unique<FeatureStoreSinkWriter>(
        RowGate(view_, context.sink_name, context.rejects), std::move(writer)));
  }
  Status Commit(std::span<const std::string> handles) override { return store_.Commit(view_.name, handles); }
  Status Recover(std::span<const std::string> handles) override { return store_.Recover(view_.name, handles); }

 private:
  FeatureStore& store_;
  const FeatureView view_;
};

Status ValidateFeatureStore(const TableDefinition& table, bool as_source, bool as_sink, const ConnectorContext&) {
  (void)as_source;  // the registry refuses it: this connector is no source
  return as_sink ? FeatureViewOf(table).status() : Status::OK();
}

Result<std::unique_ptr<Sink>> MakeSink(const SinkSpec& spec, const ConnectorContext& context) {
  if (context.features == nullptr)
    return Status(kInvalidConfig, "table '" + spec.table->name + "' needs the feature store, which is not open");
  TM_ASSIGN_OR_RETURN(FeatureView view, FeatureViewOf(*spec.table));
  const Status registered = context.features->RegisterView(view);
  if (!registered.ok()) return registered.At(spec.table->position);
  return std::unique_ptr<Sink>(std::make_unique<FeatureStoreSink>(*context.features, std::move(view)));
}

template <typename T>
Result<T> Checked(const TableDefinition& table, std::string_view key, Result<T> value) {
  return value.ok() ? value : Result<T>(OptionError(table, key, value.status().message()));
}

}  // namespace

Result<FeatureView> FeatureViewOf(const TableDefinition& table) {
  const Config& options = table.options;
  FeatureView view;
  view.name = options.GetString("view", table.name);
  if (!IsSafeName(view.name))
    return OptionError(table, "view", "'" + view.name + "' is no name: [A-Za-z0-9._-]{1,128}");
  TM_ASSIGN_OR_RETURN(view.online, Checked(table, "online.enabled", options.GetBool("online.enabled", true)));
  TM_ASSIGN_OR_RETURN(view.offline, Checked(table, "offline.enabled", options.GetBool("offline.enabled", true)));
  if (!view.online && !view.offline)
    return OptionError(table, "offline.enabled", "the view would be neither online nor offline");
  TM_ASSIGN_OR_RETURN(view.ttl_ms, Checked(table, "ttl", options.GetDurationMs("ttl", 0)));
  TM_ASSIGN_OR_RETURN(view.entities_max,
                      Checked(table, "online.entities-max", options.GetInt("online.entities-max", view.entities_max)));
  if (view.entities_max < 1) return OptionError(table, "online.entities-max", "must be at least 1");
  view.offline_path = options.GetString("offline.path", "");
  if (!view.offline && options.Has("offline.path"))
    return OptionError(table, "offline.path", "is of no use with 'offline.enabled' = 'false'");
  while (view.offline_path.size() > 1 && view.offline_path.ends_with('/')) view.offline_path.pop_back();
  view.compression = options.GetString("offline.compression", view.compression);
  if (!IsParquetCompression(view.compression))
    return OptionError(table, "offline.compression",
                       "expected none, snappy, lz4 or zstd, found '" + view.compression + "'");
  view.schema = PersistedSchema(table);
  if (table.primary_key.empty()) {
    return Status(kViewMismatch, "table '" + table.name + "' has no entity: declare PRIMARY KEY (...) NOT ENFORCED")
        .At(table.position);
  }
  for (const int column : table.primary_key) view.entities.push_back(table.columns[column].name);
  if (const std::optional<std::string> column = options.Get("event-time.column")) {
    if (!view.schema.IndexOf(*column)) {
      const Status status = OptionError(table, "event-time.column", "there is no written column '" + *column + "'");
      const std::string nearest = NearestName(*column, view.schema.names());
      return nearest.empty() ? status : status.WithHint("did you mean '" + nearest + "'?");
    }
    view.event_time = *column;
  } else if (table.rowtime_column >= 0) {
    view.event_time = table.columns[table.rowtime_column].name;
  }
  const Status checked = view.Check();
  if (!checked.ok()) return checked.At(table.position);
  return view;
}

Connector FeatureStoreConnector() {
  Connector connector;
  connector.name = "feature-store";
  connector.summary = "Feature views, online and offline at once";
  connector.is_sink = true;
  connector.options = {
      {"view", false, "<table>", "the view's name"},
      {"event-time.column", false, "<watermark's column>", "the column that says from when on a row holds"},
      {"online.enabled", false, "true", "keep the newest row of each entity, to be served"},
      {"online.entities-max", false, "20000000", "more entities than this fail the job"},
      {"offline.enabled", false, "true", "keep every row as Parquet, to train from"},
      {"offline.path", false, "<data dir>/features/offline/<view>", "the view's folder"},
      {"offline.compression", false, "snappy", "none, snappy, lz4, zstd"},
      {"ttl", false, "0 s", "how long after its event time a row counts; 0 = for ever"},
  };
  connector.validate = ValidateFeatureStore;
  connector.make_sink = MakeSink;
  return connector;
}

}  // namespace tidemill
