#include "log/wire/kafka_server.h"

#include <utility>

#include "log/wire/internal/handlers.h"

namespace tidemill {

namespace {

constexpr int64_t kStrangerFrameBytesMax = 512 << 10;  // Kafka's sasl.server.max.receive.size

class KafkaServerImpl final : public KafkaServer {
 public:
  KafkaServerImpl(Log& log, const Clock& clock, const KafkaServerOptions& options, MetricsRegistry* metrics)
      : broker_(log, clock, options.security, options.seed),
        frames_(
            "Kafka",
            [this](const std::shared_ptr<FrameConnection>& connection, std::string frame, FrameServer::Reply reply) {
              wire::HandleFrame(broker_, connection, std::move(frame), std::move(reply));
            },
            metrics) {
    if (metrics != nullptr) broker_.api_metrics = wire::MakeApiMetrics(*metrics);
  }
  ~KafkaServerImpl() override {
    // First whoever could still ask.
    frames_.Stop();
    broker_.Stop();
  }

  Status Start(FileSystem& files, const Clock& clock, const std::string& log_directory,
               const KafkaServerOptions& options) {
    TM_RETURN_IF_ERROR(options.topic_defaults.Validate());
    TM_RETURN_IF_ERROR(broker_.Start(files, clock, log_directory));
    FrameServerOptions listen = options.listen;
    if (options.security.users != nullptr) listen.stranger_frame_bytes_max = kStrangerFrameBytesMax;
    TM_RETURN_IF_ERROR(frames_.Listen(listen));
    broker_.host = options.advertised_host.empty() ? options.listen.address : options.advertised_host;
    broker_.port = options.advertised_port == 0 ? frames_.port() : options.advertised_port;
    broker_.cluster_id = options.cluster_id;
    broker_.auto_create_topics = options.auto_create_topics;
    broker_.topic_defaults = options.topic_defaults;
    frames_.Run();
    return Status::OK();
  }
  uint16_t port() const override { return frames_.port(); }

 private:
  wire::Broker broker_;
  FrameServer frames_;
};

}  // namespace

Result<std::unique_ptr<KafkaServer>> KafkaServer::Start(Log& log, FileSystem& files, const Clock& clock,
                                                        const std::string& log_directory,
                                                        const KafkaServerOptions& options, MetricsRegistry* metrics) {
  auto server = std::make_unique<KafkaServerImpl>(log, clock, options, metrics);
  TM_RETURN_IF_ERROR(server->Start(files, clock, log_directory, options));
  return std::unique_ptr<KafkaServer>(std::move(server));
}

}  // namespace tidemill
