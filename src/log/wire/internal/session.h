#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "log/access/access_control.h"
#include "log/access/sasl.h"

namespace tidemill::wire {

// What is known of a connection's client.
struct KafkaSession {
  // Set before `is_known`, and left alone from then on.
  Accessor who;
  std::string user;  // of `who`, without "User:"
  std::atomic<bool> is_known{false};

  // Of the thread of Broker::slow: the exchange that a SaslHandshake began.
  std::unique_ptr<SaslExchange> exchange;
  // The next frames are bare SASL messages, as after a SaslHandshake of version 0.
  std::atomic<bool> takes_bare_tokens{false};

  void BecomeUser(std::string name, std::string host) {
    user = std::move(name);
    who = {"User:" + user, std::move(host)};
    is_known.store(true, std::memory_order_release);
  }
};

}  // namespace tidemill::wire
