// Schemas of any bytes: parsed, made canonical, and compared. The first byte chooses the language; a 0xFE byte parts
// the reader's schema, the writer's and one that both refer to as "part".
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "data/schema_compatibility.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto language = static_cast<tidemill::SchemaLanguage>(data[0] % 3);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<std::string> texts;
  for (;;) {
    const size_t cut = rest.find('\xFE');
    texts.emplace_back(rest.substr(0, cut));
    if (cut == std::string_view::npos || texts.size() == 3) break;
    rest.remove_prefix(cut + 1);
  }
  tidemill::ResolvedSchema reader{language, texts[0], {}};
  tidemill::ResolvedSchema writer{language, texts.size() > 1 ? texts[1] : texts[0], {}};
  if (texts.size() > 2) reader.parts = writer.parts = {{"part", texts[2]}};
  const auto canonical = tidemill::CanonicalSchema(reader);
  if (canonical.ok()) {
    // What is canonical is a schema, and stays as it is.
    const auto again = tidemill::CanonicalSchema({language, *canonical, reader.parts});
    if (!again.ok() || *again != *canonical) std::abort();
    // Data is read with the schema it was written with.
    const auto self = tidemill::FindSchemaConflicts(reader, reader);
    if (self.ok() && language == tidemill::SchemaLanguage::kProtobuf && !self->empty()) std::abort();
  }
  (void)tidemill::FindSchemaConflicts(reader, writer);
  (void)tidemill::FindSchemaConflicts(writer, reader);
  return 0;
}
