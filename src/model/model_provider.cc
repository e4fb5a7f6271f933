#include "model/model_provider.h"

#include "model/errors.h"
#include "model/onnx_provider.h"

namespace tidemill {

std::vector<std::unique_ptr<ModelProvider>> MakeModelProviders(FileSystem& files, std::string onnx_library) {
  std::vector<std::unique_ptr<ModelProvider>> providers;
  providers.push_back(MakeOnnxProvider(files, std::move(onnx_library)));
  return providers;
}

Status ModelOptionError(const ModelDefinition& definition, std::string_view key, std::string message) {
  Status status(kInvalidOption, "option '" + std::string(key) + "' of model '" + definition.name + "': " + message);
  const auto position = definition.option_positions.find(std::string(key));
  return status.At(position != definition.option_positions.end() ? position->second : definition.position);
}

Status CheckModelOptions(const ModelDefinition& definition, const ModelProvider& provider) {
  std::vector<std::string> names = {"provider"};
  for (const ModelOption& option : provider.options()) names.emplace_back(option.key);
  for (const auto& [key, value] : definition.options.values()) {
    bool known = false;
    for (const std::string& name : names) {
      known = known || name == key ||
              (name.ends_with(".*") && key.size() > name.size() - 1 &&
               key.compare(0, name.size() - 1, name, 0, name.size() - 1) == 0);
    }
    if (known) continue;
    Status status(kUnknownOption, "model '" + definition.name + "' has an unknown option '" + key + "'");
    const auto position = definition.option_positions.find(key);
    status = status.At(position != definition.option_positions.end() ? position->second : definition.position);
    const std::string nearest = NearestName(key, names);
    if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return status.WithNote("options of provider '" + std::string(provider.name()) + "': " + all);
  }
  for (const ModelOption& option : provider.options()) {
    if (option.required && !definition.options.Has(option.key)) {
      return Status(kMissingOption,
                    "model '" + definition.name + "' needs the option '" + std::string(option.key) + "'")
          .At(definition.position);
    }
  }
  return Status::OK();
}

}  // namespace tidemill
