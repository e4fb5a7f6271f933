#pragma once

#include <string>

#include "exec/source.h"

namespace tidemill {

// The rows of VALUES, as a bounded source of one split.
class ValuesSource final : public Source {
 public:
  ValuesSource(LogicalPtr values, std::string time_zone)
      : values_(std::move(values)), time_zone_(std::move(time_zone)) {}
  Result<std::vector<SourceSplit>> Splits() override { return std::vector<SourceSplit>{{"values"}}; }
  Result<std::unique_ptr<SplitReader>> OpenSplit(const SourceSplit& split, const std::optional<std::string>& position,
                                                 SplitContext context) override;
  bool bounded() const override { return true; }

 private:
  LogicalPtr values_;
  std::string time_zone_;
};

}  // namespace tidemill
