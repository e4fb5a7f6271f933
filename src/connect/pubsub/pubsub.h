#pragma once

#include "connect/connector.h"

namespace tidemill {

// Subscriptions and topics of Google Cloud Pub/Sub. At-least-once both ways: messages are acknowledged when the epoch
// that read them is committed.
Connector PubsubConnector();

}  // namespace tidemill
