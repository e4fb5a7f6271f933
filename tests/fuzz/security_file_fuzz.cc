// A Kafka listener's security file of any bytes: it is read, or refused with a place in it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/simulated_file_system.h"
#include "server/kafka_security_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidemill;
  SimulatedFileSystem files;
  auto file = files.OpenWritable("security.yaml", FileSystem::OpenMode::kCreateNew);
  if (!file.ok() || !(*file)->Append({reinterpret_cast<const char*>(data), size}).ok()) std::abort();
  const auto read = LoadKafkaSecurityFile("security.yaml", files);
  if (!read.ok()) {
    if (read.status().message().empty()) std::abort();
    return 0;
  }
  // Others are let in only where everybody has to say who it is.
  if (read->is_safe_for_others && read->tls == nullptr) std::abort();
  return 0;
}
