#include "base/file_system.h"

#include <algorithm>

#include "base/errors.h"

namespace tidemill {
namespace {

Status WriteAndSync(FileSystem& fs, const std::string& path, std::string_view bytes) {
  TM_ASSIGN_OR_RETURN(auto file, fs.OpenWritable(path, FileSystem::OpenMode::kTruncate));
  TM_RETURN_IF_ERROR(file->Append(bytes));
  TM_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

Status ListInto(FileSystem& fs, const std::string& directory, std::vector<FileInfo>* out) {
  TM_ASSIGN_OR_RETURN(auto entries, fs.List(directory));
  for (FileInfo& entry : entries) {
    if (entry.is_directory) {
      TM_RETURN_IF_ERROR(ListInto(fs, entry.path, out));
    } else {
      out->push_back(std::move(entry));
    }
  }
  return Status::OK();
}

}  // namespace

Result<std::string> ReadFile(FileSystem& fs, const std::string& path, int64_t bytes_max) {
  TM_ASSIGN_OR_RETURN(auto file, fs.OpenReadable(path));
  TM_ASSIGN_OR_RETURN(const int64_t size, file->Size());
  if (size > bytes_max) {
    return Status(kLimitExceeded, "'" + path + "' has " + std::to_string(size) + " bytes; at most " +
                                      std::to_string(bytes_max) + " are read");
  }
  // Files of /proc and pipes say 0: read until there is nothing more, within the limit.
  std::string bytes(static_cast<size_t>(std::max<int64_t>(size, 1)), '\0');
  size_t filled = 0;
  while (true) {
    TM_ASSIGN_OR_RETURN(
        const int64_t n,
        file->ReadAt(static_cast<int64_t>(filled), static_cast<int64_t>(bytes.size() - filled), bytes.data() + filled));
    filled += static_cast<size_t>(n);
    if (filled < bytes.size() || static_cast<int64_t>(filled) == size) break;
    if (static_cast<int64_t>(filled) > bytes_max) {
      return Status(kLimitExceeded, "'" + path + "' has more than " + std::to_string(bytes_max) + " bytes");
    }
    bytes.resize(std::min<size_t>(bytes.size() * 2 + 4096, static_cast<size_t>(bytes_max) + 1));
  }
  bytes.resize(filled);
  return bytes;
}

Status WriteFileAtomically(FileSystem& fs, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  if (Status written = WriteAndSync(fs, temporary, bytes); !written.ok()) {
    [[maybe_unused]] const Status ignored = fs.Remove(temporary);
    return written.WithContext("writing '" + path + "'");
  }
  TM_RETURN_IF_ERROR(fs.Rename(temporary, path));
  return fs.SyncDirectory(DirectoryOf(path));
}

Status RemoveRecursively(FileSystem& fs, const std::string& path) {
  const auto info = fs.Stat(path);
  if (!info.ok()) return info.status().Is(kFileNotFound) ? Status::OK() : info.status();
  if (info->is_directory) {
    TM_ASSIGN_OR_RETURN(const auto entries, fs.List(path));
    for (const FileInfo& entry : entries) TM_RETURN_IF_ERROR(RemoveRecursively(fs, entry.path));
  }
  return fs.Remove(path);
}

Result<std::vector<FileInfo>> ListRecursively(FileSystem& fs, const std::string& directory) {
  std::vector<FileInfo> files;
  TM_RETURN_IF_ERROR(ListInto(fs, directory, &files));
  std::sort(files.begin(), files.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  return files;
}

std::string JoinPath(std::string_view a, std::string_view b) {
  if (a.empty()) return std::string(b);
  if (b.empty()) return std::string(a);
  std::string path(a);
  if (path.back() != '/') path += '/';
  path += b.front() == '/' ? b.substr(1) : b;
  return path;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool IsSafeName(std::string_view name) {
  if (name.empty() || name.size() > 128 || name == "." || name == "..") return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

}  // namespace tidemill
