#include "data/format.h"

#include "data/errors.h"
#include "data/internal/format_options.h"

namespace tidemill {
namespace {

struct Format {
  std::string_view name;
  Result<std::unique_ptr<RowDecoder>> (*make_decoder)(const Schema&, const Config&);
  Result<std::unique_ptr<RowEncoder>> (*make_encoder)(const Schema&, const Config&);
  Status (*validate)(const Config&);
};

constexpr Format kFormats[] = {
    {"json", MakeJsonDecoder, MakeJsonEncoder,
     [](const Config& options) { return ParseJsonOptions(options).status(); }},
    {"csv", MakeCsvDecoder, MakeCsvEncoder, [](const Config& options) { return ParseCsvOptions(options).status(); }},
    {"raw", MakeRawDecoder, MakeRawEncoder, [](const Config& options) { return ParseRawOptions(options).status(); }},
};

Result<const Format*> FindFormat(std::string_view name) {
  std::string known;
  for (const Format& format : kFormats) {
    if (format.name == name) return &format;
    known += (known.empty() ? "" : ", ") + std::string(format.name);
  }
  Status status(kUnknownFormat, "no format '" + std::string(name) + "'");
  const std::string nearest = NearestName(name, RowFormats());
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  return status.WithNote("formats: " + known);
}

}  // namespace

std::vector<std::string> RowFormats() {
  std::vector<std::string> names;
  for (const Format& format : kFormats) names.emplace_back(format.name);
  return names;
}

Result<std::unique_ptr<RowDecoder>> MakeRowDecoder(std::string_view format, const Schema& schema,
                                                   const Config& options) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->make_decoder(schema, options);
}

Result<std::unique_ptr<RowEncoder>> MakeRowEncoder(std::string_view format, const Schema& schema,
                                                   const Config& options) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->make_encoder(schema, options);
}

Status ValidateFormatOptions(std::string_view format, const Config& options) {
  TM_ASSIGN_OR_RETURN(const Format* found, FindFormat(format));
  return found->validate(options);
}

}  // namespace tidemill
