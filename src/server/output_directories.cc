#include "server/output_directories.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/errors.h"
#include "server/errors.h"

namespace tidemill {
namespace {

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Names that sinks give: visible parts, and hidden ones that were never committed.
bool IsSinkFile(std::string_view name) {
  return name.starts_with("part-") || name.starts_with(".part-") || name.starts_with(".open-") ||
         name.starts_with(".merge-");
}

// Itself or in a folder whose name begins with a dot: no reader looks there.
bool IsHidden(std::string_view relative) {
  return relative.starts_with(".") || relative.find("/.") != std::string_view::npos;
}

struct Contents {
  std::vector<std::string> sink_files;
  std::string foreign;  // a visible file that no sink wrote
  bool has_visible = false;
};

Result<Contents> Look(FileSystem& files, const std::string& path) {
  Contents contents;
  const auto info = files.Stat(path);
  if (!info.ok()) {
    if (info.status().Is(kFileNotFound)) return contents;
    return info.status();
  }
  if (!info->is_directory) {
    contents.foreign = path;
    contents.has_visible = true;
    return contents;
  }
  TM_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, ListRecursively(files, path));
  for (const FileInfo& file : found) {
    if (file.is_directory) continue;
    const std::string_view name = BaseName(file.path);
    if (IsSinkFile(name)) contents.sink_files.push_back(file.path);
    if (IsHidden(std::string_view(file.path).substr(path.size()))) continue;
    contents.has_visible = true;
    if (!IsSinkFile(name)) contents.foreign = file.path;
  }
  return contents;
}

}  // namespace

std::vector<OutputDirectory> OutputDirectoriesOf(const LogicalPlan& plan) {
  std::vector<OutputDirectory> directories;
  for (const LogicalPtr& root : plan.roots) {
    const auto* sink = std::get_if<SinkSpec>(&root->spec);
    if (sink == nullptr) continue;
    const TableDefinition& table = *sink->table;
    const char* key = table.connector() == "filesystem"      ? "path"
                      : table.connector() == "feature-store" ? "offline.path"
                                                             : nullptr;
    if (key == nullptr) continue;
    const std::string path = table.options.GetString(key, "");
    const bool known =
        std::any_of(directories.begin(), directories.end(), [&](const OutputDirectory& d) { return d.path == path; });
    if (path.empty() || known) continue;
    const auto position = table.option_positions.find(key);
    directories.push_back(
        {path, table.name, position == table.option_positions.end() ? table.position : position->second});
  }
  return directories;
}

Result<std::vector<std::string>> PrepareOutputDirectories(FileSystem& files,
                                                          const std::vector<OutputDirectory>& directories,
                                                          ExistingOutput mode, const std::vector<std::string>& own,
                                                          bool replace_own) {
  std::vector<std::string> replaced;
  if (mode == ExistingOutput::kKeep) return replaced;
  std::vector<std::string> to_remove;
  for (const OutputDirectory& directory : directories) {
    TM_ASSIGN_OR_RETURN(const Contents contents, Look(files, directory.path));
    if (!contents.has_visible) continue;
    const bool is_own = replace_own && std::find(own.begin(), own.end(), directory.path) != own.end();
    if (mode == ExistingOutput::kRefuse && !is_own) {
      return Status(kOutputExists, fmt::format("table '{}' would write into '{}', which holds files already",
                                               directory.table, directory.path))
          .At(directory.position);
    }
    if (!contents.foreign.empty()) {
      return Status(kOutputExists, fmt::format("'{}' is in the way and was not written by tidemill: it is not removed",
                                               contents.foreign))
          .At(directory.position);
    }
    to_remove.insert(to_remove.end(), contents.sink_files.begin(), contents.sink_files.end());
    replaced.push_back(directory.path);
  }
  // Nothing goes before every folder has been looked at.
  for (const std::string& path : to_remove) TM_RETURN_IF_ERROR(files.Remove(path));
  return replaced;
}

}  // namespace tidemill
