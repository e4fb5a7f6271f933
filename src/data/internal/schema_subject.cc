#include "data/internal/schema_subject.h"

#include <fmt/format.h>

#include "data/errors.h"

namespace tidemill {

std::string SubjectOf(const std::string& option, const FormatContext& context) {
  if (!option.empty() || context.topic.empty()) return option;
  return context.topic + (context.is_key ? "-key" : "-value");
}

Result<std::string> SubjectToWrite(std::string_view format, const std::string& option, const FormatContext& context) {
  std::string subject = SubjectOf(option, context);
  if (!subject.empty()) return subject;
  return Status(kInvalidFormatOption, fmt::format("format '{0}' needs '{0}.subject' to write: no one topic", format));
}

Result<SchemaSource::Latest> LatestSchema(const std::string& subject, SchemaLanguage language,
                                          const FormatContext& context) {
  TM_ASSIGN_OR_RETURN(auto latest, context.schemas->LatestOf(subject));
  if (!latest) return Status(kSchemaNotFound, fmt::format("subject '{}' has no schema", subject));
  if (latest->schema.language == language) return *std::move(latest);
  constexpr std::string_view kNames[] = {"Avro", "JSON Schema", "Protobuf"};
  return Status(kIncompatibleSchema, fmt::format("the schema of subject '{}' is none of {}", subject,
                                                 kNames[static_cast<size_t>(language)]));
}

Status AnotherSchemaIsNewest(const std::string& subject, const std::string& canonical_text) {
  return Status(kSchemaNotFound, fmt::format("the newest schema of subject '{}' is another than the table's", subject))
      .WithHint("register the table's, or use the newest one: 'properties.use.latest.version' = 'true'")
      .WithNote("the table's: " + canonical_text);
}

Status CheckHasRegistry(std::string_view format, const FormatContext& context) {
  if (context.schemas != nullptr) return Status::OK();
  return Status(kInvalidFormatOption, "format '" + std::string(format) + "' needs a schema registry")
      .WithHint("give '" + std::string(format) + ".url', or run where the embedded registry is on");
}

}  // namespace tidemill
