#include "job/manifest.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "job/errors.h"

namespace tidemill {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
constexpr int64_t kManifestBytesMax = 256 << 20;
constexpr std::string_view kChecksumPrefix = "\n#xxh3:";

// Positions and handles are bytes: text stays readable, anything else is hex.
json FromBytes(const std::string& bytes) {
  const bool plain = std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain) return bytes;
  std::string hex;
  for (unsigned char c : bytes) hex += fmt::format("{:02x}", c);
  return json{{"hex", hex}};
}

std::string ToBytes(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  const std::string hex = value.at("hex").get<std::string>();
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

json FromPosition(const SplitPosition& position) {
  json out = {{"watermark", position.watermark}, {"ended", position.ended}};
  if (position.skip_rows != 0) out["skip_rows"] = position.skip_rows;
  if (position.position.has_value()) out["position"] = FromBytes(*position.position);
  return out;
}

SplitPosition ToPosition(const json& value) {
  SplitPosition position;
  position.watermark = value.at("watermark").get<int64_t>();
  position.ended = value.at("ended").get<bool>();
  position.skip_rows = value.value("skip_rows", int64_t{0});
  if (value.contains("position")) position.position = ToBytes(value.at("position"));
  return position;
}

Manifest FromJson(const json& root) {
  Manifest manifest;
  manifest.epoch = root.at("epoch").get<int64_t>();
  manifest.job = root.at("job").get<std::string>();
  manifest.parallelism = root.at("parallelism").get<int>();
  manifest.created_us = root.at("created_us").get<int64_t>();
  for (const json& op : root.at("operators")) {
    manifest.operators.push_back({op.at("name").get<std::string>(), op.at("type").get<std::string>()});
  }
  for (const auto& [scan, splits] : root.at("sources").items()) {
    auto& out = manifest.sources[scan];
    for (const auto& [split, position] : splits.items()) out[split] = ToPosition(position);
  }
  for (const json& entry : root.at("state")) {
    StateFile file{entry.at("operator").get<std::string>(),
                   entry.at("table").get<std::string>(),
                   entry.at("full").get<bool>(),
                   entry.at("path").get<std::string>(),
                   entry.at("bytes").get<int64_t>(),
                   entry.at("xxh3").get<uint64_t>()};
    manifest.state.push_back({entry.at("subtask").get<int>(), std::move(file)});
  }
  for (const auto& [sink, handles] : root.at("sinks").items()) {
    auto& out = manifest.sinks[sink];
    for (const json& handle : handles) out.push_back(ToBytes(handle));
  }
  return manifest;
}

}  // namespace

std::string Manifest::ToText() const {
  json root = {
      {"format", kFormat}, {"epoch", epoch}, {"job", job}, {"parallelism", parallelism}, {"created_us", created_us}};
  root["operators"] = json::array();
  for (const OperatorEntry& op : operators) root["operators"].push_back({{"name", op.name}, {"type", op.type}});
  root["sources"] = json::object();
  for (const auto& [scan, splits] : sources) {
    json& out = root["sources"][scan] = json::object();
    for (const auto& [split, position] : splits) out[split] = FromPosition(position);
  }
  root["state"] = json::array();
  for (const auto& [subtask, file] : state) {
    root["state"].push_back({{"operator", file.operator_name},
                             {"table", file.table},
                             {"subtask", subtask},
                             {"full", file.full},
                             {"path", file.path},
                             {"bytes", file.bytes},
                             {"xxh3", file.checksum}});
  }
  root["sinks"] = json::object();
  for (const auto& [sink, handles] : sinks) {
    json& out = root["sinks"][sink] = json::array();
    for (const std::string& handle : handles) out.push_back(FromBytes(handle));
  }
  // Names come from users: what is not UTF-8 in them is replaced, nothing throws.
  std::string text = root.dump(1, ' ', false, json::error_handler_t::replace);
  const uint64_t checksum = XXH3_64bits(text.data(), text.size());
  text += kChecksumPrefix;
  text += fmt::format("{:016x}\n", checksum);
  return text;
}

Result<Manifest> Manifest::Parse(const std::string& text, const std::string& path) {
  const size_t mark = text.rfind(kChecksumPrefix);
  if (mark == std::string::npos) return Status(kBadManifest, path + ": no checksum; the file is cut off");
  const std::string expected = fmt::format("{:016x}\n", XXH3_64bits(text.data(), mark));
  if (text.substr(mark + kChecksumPrefix.size()) != expected) return Status(kBadManifest, path + ": checksum differs");
  const json root = json::parse(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(mark), nullptr, false);
  if (root.is_discarded() || !root.is_object()) return Status(kBadManifest, path + ": not JSON");
  try {
    if (root.at("format").get<int>() != kFormat) {
      return Status(kBadManifest,
                    path + ": format " + root.at("format").dump() + ", this version reads " + std::to_string(kFormat));
    }
    return FromJson(root);
  } catch (const std::exception& error) {  // the library's errors become ours here
    return Status(kBadManifest, path + ": " + error.what());
  }
}

std::string ManifestStore::PathOf(int64_t epoch, int copy) const {
  return JoinPath(directory_, fmt::format("manifests/epoch-{:012d}.{}", epoch, copy == 0 ? "json" : "copy"));
}

Status ManifestStore::Write(const Manifest& manifest) {
  TM_RETURN_IF_ERROR(files_.CreateDirectories(JoinPath(directory_, "manifests")));
  const std::string text = manifest.ToText();
  // The copy first: once the first name exists, both are whole.
  TM_RETURN_IF_ERROR(WriteFileAtomically(files_, PathOf(manifest.epoch, 1), text));
  return WriteFileAtomically(files_, PathOf(manifest.epoch, 0), text);
}

Result<std::vector<int64_t>> ManifestStore::Epochs() {
  const std::string directory = JoinPath(directory_, "manifests");
  const auto stat = files_.Stat(directory);
  if (!stat.ok()) {
    // Only "not there" means that there is none: beginning anew because a disk doesn't answer would write everything
    // twice.
    if (stat.status().Is(kFileNotFound)) return std::vector<int64_t>{};
    return stat.status();
  }
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, files_.List(directory));
  std::set<int64_t> epochs;
  for (const FileInfo& file : found) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    const bool ours = name.rfind("epoch-", 0) == 0 && (name.ends_with(".json") || name.ends_with(".copy"));
    if (ours) epochs.insert(std::strtoll(name.c_str() + 6, nullptr, 10));
  }
  return std::vector<int64_t>(epochs.begin(), epochs.end());
}

Result<std::optional<Manifest>> ManifestStore::LoadNewest() {
  TM_ASSIGN_OR_RETURN(const std::vector<int64_t> epochs, Epochs());
  if (epochs.empty()) return std::optional<Manifest>();
  Status first_error;
  for (int copy = 0; copy < 2; ++copy) {
    const std::string path = PathOf(epochs.back(), copy);
    auto text = ReadFile(files_, path, kManifestBytesMax);
    Status error;
    if (text.ok()) {
      auto manifest = Manifest::Parse(*text, path);
      if (manifest.ok()) return std::optional<Manifest>(*std::move(manifest));
      error = manifest.status();
    } else {
      error = text.status();
    }
    if (first_error.ok() || first_error.Is(kFileNotFound)) first_error = error;
  }
  return first_error;
}

void ManifestStore::RemoveBefore(int64_t epoch) {
  const auto epochs = Epochs();
  if (!epochs.ok()) return;
  for (int64_t old : *epochs) {
    if (old >= epoch) continue;
    (void)files_.Remove(PathOf(old, 0)).ok();
    (void)files_.Remove(PathOf(old, 1)).ok();
  }
}

Status ManifestStore::RemoveAll() { return RemoveRecursively(files_, JoinPath(directory_, "manifests")); }

}  // namespace tidemill
