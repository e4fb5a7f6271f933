#include "data/internal/schema_subject.h"

#include "data/errors.h"

namespace tidemill {

std::string SubjectOf(const std::string& option, const FormatContext& context) {
  if (!option.empty() || context.topic.empty()) return option;
  return context.topic + (context.is_key ? "-key" : "-value");
}

Status CheckHasRegistry(std::string_view format, const FormatContext& context) {
  if (context.schemas != nullptr) return Status::OK();
  return Status(kInvalidFormatOption, "format '" + std::string(format) + "' needs a schema registry")
      .WithHint("give '" + std::string(format) + ".url', or run where the embedded registry is on");
}

}  // namespace tidemill
