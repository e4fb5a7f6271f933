#pragma once

#include "connect/connector.h"

namespace tidemill {

// 'connector' = 'http': every row is one request to a webhook, sent at once, with an Idempotency-Key made of job,
// table, primary key (or the row's content) and event time, so that a receiver which honours the key acts once.
//
// A row is settled when the receiver has taken it (2xx), when it is durably in the outbox topic
// (`outbox.<job>.<table>`: the receiver is down or slow; retries go on from there, also after a restart), or in the
// dead-letter topic (`dlq.<table>`: refused by the receiver, or retries used up). A barrier passes when every row
// before it is settled. Memory is bounded by 'buffer-rows'; order is not kept across retries.
Connector HttpConnector();

}  // namespace tidemill
