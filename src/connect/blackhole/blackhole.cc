#include "connect/blackhole/blackhole.h"

namespace tidemill {
namespace {

class BlackholeWriter final : public SinkWriter {
 public:
  Status Write(Batch) override { return Status::OK(); }
  Result<std::optional<std::string>> Prepare(int64_t) override { return std::optional<std::string>(""); }
};

class BlackholeSink final : public Sink {
 public:
  Result<std::unique_ptr<SinkWriter>> OpenWriter(SinkContext) override {
    std::unique_ptr<SinkWriter> writer = std::make_unique<BlackholeWriter>();
    return writer;
  }
  Status Commit(std::span<const std::string>) override { return Status::OK(); }
  Status Recover(std::span<const std::string>) override { return Status::OK(); }
};

}  // namespace

Connector BlackholeConnector() {
  Connector connector;
  connector.name = "blackhole";
  connector.summary = "Takes every row and keeps none";
  connector.is_sink = true;
  connector.make_sink = [](const SinkSpec&, const ConnectorContext&) -> Result<std::unique_ptr<Sink>> {
    std::unique_ptr<Sink> sink = std::make_unique<BlackholeSink>();
    return sink;
  };
  return connector;
}

}  // namespace tidemill
