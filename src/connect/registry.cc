#include "connect/blackhole/blackhole.h"
#include "connect/connector.h"
#include "connect/datagen/datagen.h"
#include "connect/feature_store/feature_store_sink.h"
#include "connect/filesystem/filesystem.h"
#include "connect/http/http_sink.h"
#include "connect/kafka/kafka.h"
#include "connect/kinesis/kinesis.h"
#include "connect/print/print.h"
#include "connect/pubsub/pubsub.h"
#include "connect/redis_streams/redis_streams.h"
#include "connect/tidemill_log/tidemill_log.h"

namespace tidemill {

const std::vector<Connector>& Connectors() {
  static const std::vector<Connector> kConnectors = {
      BlackholeConnector(), DatagenConnector(),      FeatureStoreConnector(), FilesystemConnector(),
      HttpConnector(),      KafkaConnector(),        KinesisConnector(),      PrintConnector(),
      PubsubConnector(),    RedisStreamsConnector(), TidemillLogConnector(),  UpsertKafkaConnector(),
  };
  return kConnectors;
}

}  // namespace tidemill
