#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "data/format.h"

namespace tidemill {

// The subject as the option says it, else "<topic>-key" or "<topic>-value"; empty when there is no topic either.
std::string SubjectOf(const std::string& option, const FormatContext& context);
// kInvalidFormatOption when there is no registry to ask.
Status CheckHasRegistry(std::string_view format, const FormatContext& context);
// The one schema of format 'protobuf'.
struct ProtobufOptions;
Result<ResolvedSchema> ProtobufSchemaOfOptions(const ProtobufOptions& options, const FormatContext& context);

}  // namespace tidemill
