#include <algorithm>
#include <charconv>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/file_system.h"
#include "data/errors.h"
#include "log/schema_registry/schema_registry.h"
#include "server/command_line.h"
#include "server/errors.h"
#include "server/schema_access.h"

namespace tidemill {
namespace {

struct SchemaOptions {
  std::string url;
  std::string subject;
  std::string file;
  std::string type;
  std::string version;
  std::vector<std::string> references;
  int32_t id = 0;
  bool normalize = false;
  bool deleted = false;
  bool permanent = false;
};

Result<int32_t> ParseVersion(const std::string& text) {
  if (text == "latest") return kLatestVersion;
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1) return number;
  return Status(kUsage, fmt::format("'{}' is no version: a number from 1 on, or latest", text));
}

Result<std::optional<int32_t>> WantedVersion(const SchemaOptions& options) {
  if (options.version.empty()) return std::optional<int32_t>();
  TM_ASSIGN_OR_RETURN(const int32_t version, ParseVersion(options.version));
  return std::optional(version);
}

Result<SchemaLanguage> LanguageOf(const SchemaOptions& options) {
  std::string name = options.type;
  if (name.empty()) {
    name = options.file.ends_with(".avsc")    ? "AVRO"
           : options.file.ends_with(".json")  ? "JSON"
           : options.file.ends_with(".proto") ? "PROTOBUF"
                                              : "";
    if (name.empty())
      return Status(kUsage,
                    fmt::format("the name of '{}' does not end in .avsc, .json or .proto: say --type avro, json "
                                "or protobuf",
                                options.file));
  }
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto language = ParseSchemaLanguage(name);
  if (!language) return Status(kUsage, fmt::format("--type takes avro, json or protobuf, not '{}'", options.type));
  return *language;
}

// NAME=SUBJECT:VERSION
Result<SchemaReference> ParseReference(const std::string& text) {
  const size_t equals = text.find('=');
  const size_t colon = text.rfind(':');
  if (equals == std::string::npos || equals == 0 || colon == std::string::npos || colon <= equals + 1)
    return Status(kUsage, fmt::format("--reference takes NAME=SUBJECT:VERSION, not '{}'", text));
  TM_ASSIGN_OR_RETURN(const int32_t version, ParseVersion(text.substr(colon + 1)));
  return SchemaReference{text.substr(0, equals), text.substr(equals + 1, colon - equals - 1), version};
}

Result<SchemaDefinition> ReadSchema(const SchemaOptions& options) {
  SchemaDefinition schema;
  TM_ASSIGN_OR_RETURN(schema.language, LanguageOf(options));
  for (const std::string& text : options.references) {
    TM_ASSIGN_OR_RETURN(schema.references.emplace_back(), ParseReference(text));
  }
  LocalFileSystem files;
  TM_ASSIGN_OR_RETURN(schema.text, ReadFile(files, options.file, kSchemaTextBytesMax));
  return schema;
}

int RunSchemaRegister(CommandContext& context, const SchemaOptions& options) {
  const auto schema = ReadSchema(options);
  if (!schema.ok()) return context.Fail(schema.status());
  auto session = SchemaSession::Open(context, options.url);
  if (!session.ok()) return context.Fail(session.status());
  const auto version = session->schemas().Register(options.subject, *schema, options.normalize);
  if (!version.ok()) return context.Fail(version.status());
  context.console.Print(Listing{{"subject", "version", "id"}, {{version->subject, version->version, version->id}}});
  return kExitOk;
}

int RunSchemaList(CommandContext& context, const SchemaOptions& options) {
  auto session = SchemaSession::Open(context, options.url);
  if (!session.ok()) return context.Fail(session.status());
  const auto versions = session->schemas().List(options.deleted);
  if (!versions.ok()) return context.Fail(versions.status());
  Listing listing{{"subject", "version", "id", "type", "references"}, {}};
  if (options.deleted) listing.columns.emplace_back("deleted");
  for (const RegisteredVersion& version : *versions) {
    listing.rows.push_back({version.subject, version.version, version.id, SchemaLanguageName(version.schema.language),
                            static_cast<int64_t>(version.schema.references.size())});
    if (options.deleted) listing.rows.back().push_back(version.deleted);
  }
  context.console.Print(listing);
  return kExitOk;
}

int RunSchemaGet(CommandContext& context, const SchemaOptions& options) {
  if (options.subject.empty() == (options.id == 0))
    return context.Fail(Status(kUsage, "schema get takes either a SUBJECT or --id"));
  const auto wanted = WantedVersion(options);
  if (!wanted.ok()) return context.Fail(wanted.status());
  auto session = SchemaSession::Open(context, options.url);
  if (!session.ok()) return context.Fail(session.status());
  Result<SchemaDefinition> schema = SchemaDefinition();
  if (options.id != 0) {
    schema = session->schemas().GetById(options.id);
  } else {
    const auto version = session->schemas().Get(options.subject, wanted->value_or(kLatestVersion));
    schema = version.ok() ? Result<SchemaDefinition>(version->schema) : Result<SchemaDefinition>(version.status());
  }
  if (!schema.ok()) return context.Fail(schema.status());
  context.console.Print(schema->text.ends_with('\n') ? schema->text : schema->text + "\n");
  return kExitOk;
}

int RunSchemaCheck(CommandContext& context, const SchemaOptions& options) {
  const auto wanted = WantedVersion(options);
  if (!wanted.ok()) return context.Fail(wanted.status());
  const auto schema = ReadSchema(options);
  if (!schema.ok()) return context.Fail(schema.status());
  auto session = SchemaSession::Open(context, options.url);
  if (!session.ok()) return context.Fail(session.status());
  const auto report = session->schemas().Check(options.subject, *wanted, *schema, options.normalize);
  if (!report.ok()) return context.Fail(report.status());
  if (report->compatible) {
    context.console.Notice(fmt::format("compatible with {}", options.subject));
    return kExitOk;
  }
  for (const std::string& message : report->messages) context.console.Print(message + "\n");
  return context.Fail(Status(kIncompatibleSchema, fmt::format("incompatible with {}", options.subject)));
}

int RunSchemaDelete(CommandContext& context, const SchemaOptions& options) {
  const auto wanted = WantedVersion(options);
  if (!wanted.ok()) return context.Fail(wanted.status());
  auto session = SchemaSession::Open(context, options.url);
  if (!session.ok()) return context.Fail(session.status());
  const auto deleted = session->schemas().Delete(options.subject, *wanted, options.permanent);
  if (!deleted.ok()) return context.Fail(deleted.status());
  Listing listing{{"subject", "version"}, {}};
  for (const int32_t version : *deleted) listing.rows.push_back({options.subject, version});
  context.console.Print(listing);
  return kExitOk;
}

void AddGivenSchema(CLI::App* app, SchemaOptions& options) {
  app->add_option("SUBJECT", options.subject, "For records of a topic by convention TOPIC-value or TOPIC-key")
      ->required();
  app->add_option("FILE", options.file, "The schema: .avsc, .json (JSON Schema) or .proto")->required();
  app->add_option("--type", options.type, "avro, json or protobuf, where the file's name does not say it");
  app->add_option("--reference", options.references,
                  "NAME=SUBJECT:VERSION: how the schema speaks of another one, and where that is; repeatable")
      ->allow_extra_args(false);
  app->add_flag("--normalize", options.normalize, "Compare and store the canonical text");
}

}  // namespace

void AddSchemaCommands(CLI::App& parent, CommandList& commands) {
  CLI::App* root = parent.add_subcommand("schema", "Register schemas, look at them, check new ones against old ones");
  root->footer(
      "\nOf the data directory, of the process that serves it, or of any registry with Confluent's API (--url).\n\n"
      "Examples:\n  tidemill schema register clicks-value clicks.avsc\n"
      "  tidemill schema check clicks-value clicks_new.avsc\n"
      "  tidemill schema list --url http://127.0.0.1:8081");
  const auto add = [&](const char* name, const char* text, int (*run)(CommandContext&, const SchemaOptions&)) {
    CLI::App* app = root->add_subcommand(name, text);
    auto options = std::make_shared<SchemaOptions>();
    app->add_option("--url", options->url, "Of another registry, e.g. http://127.0.0.1:8081");
    commands.push_back({app, [options, run](CommandContext& context) { return run(context, *options); }});
    return std::pair(app, options.get());
  };

  auto [app, options] = add("register", "Register a schema under a subject", RunSchemaRegister);
  AddGivenSchema(app, *options);
  app->footer(
      "\nExamples:\n  tidemill schema register clicks-value clicks.avsc\n"
      "  tidemill schema register orders-value order.proto --reference customer.proto=customers:1\n\n"
      "The same schema under the same subject is not registered twice. Exit code 6: it is incompatible with an earlier "
      "version;\nthe messages say why.");

  std::tie(app, options) = add("list", "List subjects with their versions and ids", RunSchemaList);
  app->add_flag("--deleted", options->deleted, "Deleted ones too");
  app->footer("\nExample:\n  tidemill schema list --output json");

  std::tie(app, options) = add("get", "Print a schema", RunSchemaGet);
  app->add_option("SUBJECT", options->subject, "Its subject");
  app->add_option("--version", options->version, "A number, or latest, which is the default");
  app->add_option("--id", options->id, "By id instead")->check(CLI::Range(1, INT32_MAX));
  app->footer("\nExamples:\n  tidemill schema get clicks-value --version 2\n  tidemill schema get --id 7");

  std::tie(app, options) = add("check", "Check whether a schema may be registered, without doing it", RunSchemaCheck);
  AddGivenSchema(app, *options);
  app->add_option("--version", options->version,
                  "Compare with this version; default: those that the subject's compatibility names");
  app->footer("\nExample:\n  tidemill schema check clicks-value clicks_new.avsc\n\nExit code 6: incompatible.");

  std::tie(app, options) = add("delete", "Delete a subject, or one version of it", RunSchemaDelete);
  app->add_option("SUBJECT", options->subject, "Its name")->required();
  app->add_option("--version", options->version, "Only this one: a number, or latest");
  app->add_flag("--permanent", options->permanent, "After a first delete: its id can't be read any more either");
  app->footer(
      "\nExamples:\n  tidemill schema delete clicks-value --version 2\n"
      "  tidemill schema delete clicks-value && tidemill schema delete clicks-value --permanent");
}

}  // namespace tidemill
