// Prints messages of the Kafka protocol as our codecs encode them, for a comparison with another implementation. One
// line each: name, version, bytes in hexadecimal digits, the fields as JSON. Usage: wire_codec_tool
// MESSAGES-PER-VERSION SEED
#include <cstdio>
#include <cstdlib>
#include <string>

#include "log/wire/tests/any_message.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: wire_codec_tool MESSAGES-PER-VERSION SEED\n");
    return 2;
  }
  tidemill::Random random(std::strtoull(argv[2], nullptr, 10));
  for (const auto& type : tidemill::testing::AllMessages()) {
    for (int16_t version = type->min_version(); version <= type->max_version(); ++version) {
      for (int i = std::atoi(argv[1]); i > 0; --i) {
        const auto message = type->Fresh();
        if (i > 1) message->Fill(random, version);  // the last one has defaults only
        std::string bytes;
        tidemill::WireWriter writer(&bytes);
        message->Encode(writer, version);
        if (!writer.status().ok() && i > 1) {
          std::fprintf(stderr, "%s v%d: %s\n", std::string(type->name()).c_str(), version,
                       writer.status().ToString().c_str());
          return 1;
        }
        if (!writer.status().ok()) continue;  // a default of null that this version does not have
        std::printf("%s %d ", std::string(type->name()).c_str(), version);
        for (const char c : bytes) std::printf("%02x", static_cast<unsigned char>(c));
        std::printf(" %s\n", message->Json(version).c_str());
      }
    }
  }
  return 0;
}
