#pragma once

#include <memory>

#include "connect/connector.h"
#include "connect/pubsub/pubsub_options.h"

namespace tidemill {

// At-least-once: a barrier passes when everything before it was taken by Pub/Sub.
Result<std::unique_ptr<Sink>> MakePubsubSink(const SinkSpec& sink, PubsubTableOptions options,
                                             const ConnectorContext& context);

}  // namespace tidemill
