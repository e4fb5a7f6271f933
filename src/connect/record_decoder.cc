#include "connect/record_decoder.h"

#include <vector>

namespace tidemill {

Result<std::unique_ptr<RowDecoder>> MakeRecordDecoder(const std::string& format, const Schema& wanted,
                                                      const Schema& all, const Config& options) {
  if (format != "csv") return MakeRowDecoder(format, wanted, options);
  std::vector<std::string> names;
  for (int i = 0; i < all.num_fields(); ++i) names.push_back(all.field(i).name);
  return MakeCsvDecoder(wanted, options, names);
}

}  // namespace tidemill
