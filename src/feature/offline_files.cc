#include "feature/offline_files.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <arrow/api.h>
#include <nlohmann/json.hpp>

#include "base/logging.h"
#include "data/time_text.h"
#include "feature/errors.h"
#include "feature/internal/parallel.h"

namespace tidemill {
namespace {

constexpr char kReplaces[] = "tidemill.replaces";
constexpr int64_t kRowGroupRows = 128 << 10;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::optional<int64_t> Number(std::string_view text) {
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

// "part-5-0-x.parquet" -> 5, "0-x".
bool ParsePart(std::string_view name, int64_t* epoch, std::string_view* rest) {
  if (!name.starts_with("part-") || !name.ends_with(".parquet")) return false;
  name.remove_prefix(5);
  name.remove_suffix(8);
  const size_t dash = name.find('-');
  if (dash == std::string_view::npos) return false;
  const std::optional<int64_t> number = Number(name.substr(0, dash));
  if (!number) return false;
  *epoch = *number;
  *rest = name.substr(dash + 1);
  return true;
}

Result<std::vector<FileInfo>> ListIfThere(FileSystem& files, const std::string& path) {
  Result<std::vector<FileInfo>> listed = files.List(path);
  if (!listed.ok() && listed.status().Is(kFileNotFound)) return std::vector<FileInfo>{};
  return listed;
}

Result<std::set<std::string>> ReplacedBy(FileSystem& files, const OfflinePart& part) {
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileReader> reader, ParquetFileReader::Open(files, part.path));
  const nlohmann::json names = nlohmann::json::parse(reader->metadata(kReplaces).value_or("[]"), nullptr, false);
  std::set<std::string> result;
  if (!names.is_array()) return Status(kOfflineFile, part.path + ": its footer does not say what it replaces");
  for (const auto& name : names) {
    if (name.is_string()) result.insert(name.get<std::string>());
  }
  return result;
}

// The parts of one day, in the order they were written, with those that a merged one replaces apart.
struct Day {
  std::vector<OfflinePart> parts;
  std::vector<OfflinePart> replaced;
};

Result<Day> ListDay(FileSystem& files, const std::string& folder, const std::string& day) {
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> listed, ListIfThere(files, folder));
  Day result;
  std::set<std::string> replaced;
  for (const FileInfo& file : listed) {
    OfflinePart part{.path = file.path, .name = NameOf(file.path), .day = day, .bytes = file.size};
    std::string_view rest;
    if (file.is_directory || !ParsePart(part.name, &part.epoch, &rest)) continue;
    part.merged = rest.starts_with("m-");
    if (part.merged) {
      TM_ASSIGN_OR_RETURN(std::set<std::string> names, ReplacedBy(files, part));
      replaced.merge(names);
    }
    result.parts.push_back(std::move(part));
  }
  const auto middle = std::stable_partition(result.parts.begin(), result.parts.end(),
                                            [&](const OfflinePart& p) { return !replaced.contains(p.name); });
  result.replaced.assign(middle, result.parts.end());
  result.parts.erase(middle, result.parts.end());
  std::stable_sort(result.parts.begin(), result.parts.end(),
                   [](const OfflinePart& a, const OfflinePart& b) { return a.epoch < b.epoch; });
  return result;
}

// The newest that a merge may take in, all of one schema and small.
Result<std::vector<OfflinePart>> ChooseSmall(FileSystem& files, const std::vector<OfflinePart>& parts,
                                             const MergePolicy& policy, std::shared_ptr<arrow::Schema>* schema) {
  std::vector<OfflinePart> chosen;
  for (const OfflinePart& part : parts) {
    if (part.bytes >= policy.small_bytes) continue;
    chosen.push_back(part);
  }
  if (static_cast<int>(chosen.size()) < policy.files_min) return std::vector<OfflinePart>{};
  std::vector<OfflinePart> same;
  for (auto part = chosen.rbegin(); part != chosen.rend(); ++part) {
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileReader> reader, ParquetFileReader::Open(files, part->path));
    if (*schema == nullptr) *schema = reader->schema()->RemoveMetadata();
    if (reader->schema()->Equals(**schema, false)) same.push_back(*part);
  }
  std::reverse(same.begin(), same.end());
  if (static_cast<int>(same.size()) < std::max(2, policy.files_min / 2)) same.clear();
  return same;
}

Status CopyParts(FileSystem& files, const std::vector<OfflinePart>& parts, const std::vector<std::string>& columns,
                 ParquetFileWriter& writer) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending;
  int64_t pending_rows = 0;
  for (const OfflinePart& part : parts) {
    TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileReader> reader, ParquetFileReader::Open(files, part.path));
    for (int group = 0; group < reader->num_row_groups(); ++group) {
      TM_ASSIGN_OR_RETURN(const std::shared_ptr<arrow::Table> table, reader->Read(group, columns));
      arrow::TableBatchReader batches(table->ReplaceSchemaMetadata(nullptr));
      std::shared_ptr<arrow::RecordBatch> batch;
      while (batches.ReadNext(&batch).ok() && batch != nullptr) {
        pending_rows += batch->num_rows();
        pending.push_back(std::move(batch));
      }
      if (pending_rows >= kRowGroupRows) {
        TM_RETURN_IF_ERROR(writer.Write(pending));
        pending.clear();
        pending_rows = 0;
      }
    }
  }
  return pending.empty() ? Status::OK() : writer.Write(pending);
}

}  // namespace

std::string EncodeOfflineHandle(const OfflineHandle& handle) {
  return nlohmann::json{{"epoch", handle.epoch}, {"parts", handle.parts}}.dump();
}

Result<OfflineHandle> DecodeOfflineHandle(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  const Status bad(kCorruption,
                   "a feature store's prepared epoch is not readable: " + std::string(text.substr(0, 200)));
  if (!json.is_object() || !json.contains("epoch") || !json["epoch"].is_number_integer() || !json.contains("parts") ||
      !json["parts"].is_array())
    return bad;
  OfflineHandle handle{json["epoch"].get<int64_t>(), {}};
  for (const auto& part : json["parts"]) {
    if (!part.is_string()) return bad;
    handle.parts.push_back(part.get<std::string>());
  }
  return handle;
}

std::string DayFolder(int64_t day_number) {
  int64_t year;
  int month, day;
  CivilFromDays(std::clamp<int64_t>(day_number, DaysFromCivil(0, 1, 1), DaysFromCivil(9999, 12, 31)), year, month, day);
  char text[32];
  std::snprintf(text, sizeof(text), "day=%04d-%02d-%02d", static_cast<int>(year), month, day);
  return text;
}

std::optional<int64_t> DayNumberOf(std::string_view folder) {
  if (!folder.starts_with("day=") || folder.size() != 14 || folder[8] != '-' || folder[11] != '-') return std::nullopt;
  const std::optional<int64_t> year = Number(folder.substr(4, 4)), month = Number(folder.substr(9, 2)),
                               day = Number(folder.substr(12, 2));
  if (!year || !month || !day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return std::nullopt;
  return DaysFromCivil(*year, static_cast<int>(*month), static_cast<int>(*day));
}

std::string TemporaryNameOf(const std::string& part_name) { return "." + part_name + ".tmp"; }

Status CommitOffline(FileSystem& files, const std::string& path, const OfflineHandle& handle, int sync_threads) {
  std::set<std::string> folders;
  for (const std::string& part : handle.parts) {
    const std::string final_path = JoinPath(path, part);
    const std::string folder = DirectoryOf(final_path);
    const std::string temporary = JoinPath(folder, TemporaryNameOf(NameOf(part)));
    folders.insert(folder);
    if (files.Exists(temporary)) {
      TM_RETURN_IF_ERROR(files.Rename(temporary, final_path));
      continue;
    }
    if (files.Exists(final_path)) continue;
    // Committed before, and merged since? If not, someone removed it: nothing that can be mended here.
    TM_ASSIGN_OR_RETURN(const Day day, ListDay(files, folder, NameOf(folder)));
    bool merged = false;
    for (const OfflinePart& other : day.parts) {
      if (!other.merged) continue;
      TM_ASSIGN_OR_RETURN(const std::set<std::string> names, ReplacedBy(files, other));
      merged = merged || names.contains(NameOf(part)) || other.epoch >= handle.epoch;
    }
    if (!merged)
      LogWarning("feature store: " + final_path + " of epoch " + std::to_string(handle.epoch) +
                 " was removed by someone else");
  }
  const std::vector<std::string> all(folders.begin(), folders.end());
  return RunParallel(all.size(), sync_threads, [&](size_t i) { return files.SyncDirectory(all[i]); });
}

Status RecoverOffline(FileSystem& files, const std::string& path, std::span<const OfflineHandle> handles,
                      int sync_threads) {
  int64_t newest = 0;
  for (const OfflineHandle& handle : handles) {
    newest = std::max(newest, handle.epoch);
    TM_RETURN_IF_ERROR(CommitOffline(files, path, handle, sync_threads));
  }
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> folders, ListIfThere(files, path));
  for (const FileInfo& folder : folders) {
    if (NameOf(folder.path).starts_with(".open-")) TM_RETURN_IF_ERROR(files.Remove(folder.path));
    if (!folder.is_directory || !DayNumberOf(NameOf(folder.path))) continue;
    TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> listed, files.List(folder.path));
    for (const FileInfo& file : listed) {
      std::string_view name(file.path);
      name.remove_prefix(name.rfind('/') + 1);
      if (!name.starts_with('.') || !name.ends_with(".tmp")) continue;
      bool leftover = name.starts_with(".merge-");
      int64_t epoch = 0;
      std::string_view rest;
      // Prepared ones of this epoch or before may be another sink's, which has yet to commit them.
      if (ParsePart(name.substr(1, name.size() - 5), &epoch, &rest)) leftover = epoch > newest;
      if (leftover) TM_RETURN_IF_ERROR(files.Remove(file.path));
    }
  }
  return Status::OK();
}

Result<std::vector<OfflinePart>> ListOffline(FileSystem& files, const std::string& path) {
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> folders, ListIfThere(files, path));
  std::vector<OfflinePart> parts;
  for (const FileInfo& folder : folders) {
    const std::string name = NameOf(folder.path);
    if (!folder.is_directory || !DayNumberOf(name)) continue;
    TM_ASSIGN_OR_RETURN(Day day, ListDay(files, folder.path, name.substr(4)));
    std::move(day.parts.begin(), day.parts.end(), std::back_inserter(parts));
  }
  return parts;
}

Result<bool> MergeDay(FileSystem& files, const std::string& path, const std::string& day_folder,
                      const MergePolicy& policy, const std::string& id, const ParquetWriteOptions& options) {
  const std::string folder = JoinPath(path, day_folder);
  TM_ASSIGN_OR_RETURN(const Day day, ListDay(files, folder, day_folder));
  for (const OfflinePart& part : day.replaced) TM_RETURN_IF_ERROR(files.Remove(part.path));
  std::shared_ptr<arrow::Schema> schema;
  TM_ASSIGN_OR_RETURN(const std::vector<OfflinePart> chosen, ChooseSmall(files, day.parts, policy, &schema));
  if (chosen.empty()) return false;
  nlohmann::json names = nlohmann::json::array();
  for (const OfflinePart& part : chosen) names.push_back(part.name);
  const std::string temporary = JoinPath(folder, ".merge-" + id + ".tmp");
  TM_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFileWriter> writer,
                      ParquetFileWriter::Create(files, temporary, schema, options));
  TM_RETURN_IF_ERROR(CopyParts(files, chosen, schema->field_names(), *writer));
  TM_RETURN_IF_ERROR(writer->Finish({{kReplaces, names.dump()}}).status());
  const std::string merged = "part-" + std::to_string(chosen.back().epoch) + "-m-" + id + ".parquet";
  TM_RETURN_IF_ERROR(files.Rename(temporary, JoinPath(folder, merged)));
  // Only a merge that is sure to stay may take the place of its parts.
  TM_RETURN_IF_ERROR(files.SyncDirectory(folder));
  for (const OfflinePart& part : chosen) TM_RETURN_IF_ERROR(files.Remove(part.path));
  return true;
}

}  // namespace tidemill
