#pragma once

#include <string>

#include "base/file_system.h"
#include "log/wire/kafka_server.h"

namespace tidemill {

// What a security file (docs/kafka-security.md) says about a Kafka listener.
struct KafkaSecurityFile {
  KafkaSecurity security;
  std::shared_ptr<const TlsServerContext> tls;  // null: plain
  int connections_per_address_max = 0;          // 0: nothing is said
  // Clients must prove who they are, over TLS: safe on an address that others reach.
  bool is_safe_for_others = false;
};

// Reads a YAML file; paths in it are relative to its folder, passwords may be `${env:NAME}` or `${file:PATH}`.
// kFileNotFound, kInvalidConfig with file, line and column.
Result<KafkaSecurityFile> LoadKafkaSecurityFile(const std::string& path, FileSystem& files);

}  // namespace tidemill
