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
// The same of what is written: kInvalidFormatOption when it is empty.
Result<std::string> SubjectToWrite(std::string_view format, const std::string& option, const FormatContext& context);
// The newest schema of a subject that must have one: kSchemaNotFound, kIncompatibleSchema when it is of another
// language.
Result<SchemaSource::Latest> LatestSchema(const std::string& subject, SchemaLanguage language,
                                          const FormatContext& context);
// kSchemaNotFound: the table's is not the newest, and must not be registered.
Status AnotherSchemaIsNewest(const std::string& subject, const std::string& canonical_text);
// The one schema of format 'protobuf'.
struct ProtobufOptions;
Result<ResolvedSchema> ProtobufSchemaOfOptions(const ProtobufOptions& options, const FormatContext& context);

}  // namespace tidemill
