#include "connect/record_decoder.h"

#include <vector>

namespace tidemill {

Result<std::unique_ptr<RowDecoder>> MakeRecordDecoder(const std::string& format, const Schema& wanted,
                                                      const Schema& all, const Config& options, FormatContext context) {
  if (format != "csv") {
    context.all_columns = std::make_shared<const Schema>(all);
    return MakeRowDecoder(format, wanted, options, context);
  }
  std::vector<std::string> names;
  for (int i = 0; i < all.num_fields(); ++i) names.push_back(all.field(i).name);
  return MakeCsvDecoder(wanted, options, names);
}

}  // namespace tidemill
