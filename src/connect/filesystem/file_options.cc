#include "connect/filesystem/file_options.h"

#include <algorithm>

#include <fnmatch.h>

#include "connect/connector.h"
#include "connect/errors.h"
#include "data/format.h"

namespace tidemill {
namespace {

bool IsHidden(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }
bool IsGlob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin <= path.size()) {
    const size_t slash = std::min(path.find('/', begin), path.size());
    if (slash > begin) parts.emplace_back(path.substr(begin, slash - begin));
    begin = slash + 1;
  }
  return parts;
}

std::string NameOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

Status AddFolder(FileSystem& fs, const std::string& folder, std::vector<FileInfo>& out) {
  TM_ASSIGN_OR_RETURN(const auto entries, fs.List(folder));
  for (const FileInfo& entry : entries) {
    if (IsHidden(NameOf(entry.path))) continue;
    if (entry.is_directory) {
      TM_RETURN_IF_ERROR(AddFolder(fs, entry.path, out));
    } else {
      out.push_back(entry);
    }
  }
  return Status::OK();
}

// Adds what `parts` from `at` on match below `folder`.
Status AddMatches(FileSystem& fs, const std::string& folder, const std::vector<std::string>& parts, size_t at,
                  std::vector<FileInfo>& out) {
  auto entries = fs.List(folder);
  if (!entries.ok()) return Status::OK();  // not a folder: matches nothing
  const bool last = at + 1 == parts.size();
  const bool any_depth = parts[at] == "**";
  if (any_depth && !last) TM_RETURN_IF_ERROR(AddMatches(fs, folder, parts, at + 1, out));
  for (const FileInfo& entry : *entries) {
    const std::string name = NameOf(entry.path);
    if (IsHidden(name) && !IsHidden(parts[at])) continue;
    if (any_depth) {
      if (entry.is_directory) TM_RETURN_IF_ERROR(AddMatches(fs, entry.path, parts, at, out));
      if (last && !entry.is_directory) out.push_back(entry);
      continue;
    }
    if (fnmatch(parts[at].c_str(), name.c_str(), 0) != 0) continue;
    if (last && !entry.is_directory) out.push_back(entry);
    if (last && entry.is_directory) TM_RETURN_IF_ERROR(AddFolder(fs, entry.path, out));
    if (!last && entry.is_directory) TM_RETURN_IF_ERROR(AddMatches(fs, entry.path, parts, at + 1, out));
  }
  return Status::OK();
}

Status NothingFound(FileSystem& fs, const std::string& path) {
  Status status(kNoFilesFound, "no file at '" + path + "'");
  if (const auto inside = fs.List(path); inside.ok())
    return status.WithNote("the folder is empty, or all names in it begin with '.' or '_'");
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  auto entries = fs.List(folder);
  if (!entries.ok()) return status.WithNote("the folder '" + folder + "' does not exist either");
  std::vector<std::string> names;
  for (const FileInfo& entry : *entries) names.push_back(NameOf(entry.path));
  const std::string nearest = NearestName(NameOf(path), names);
  if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
  return status;
}

}  // namespace

Config FileTableOptions::FormatOptions(std::string_view format_name) const {
  Config out;
  const std::string prefix = std::string(format_name) + ".";
  for (const auto& [key, value] : table_options.values()) {
    if (key.starts_with(prefix)) out.Set(key.substr(prefix.size()), value);
  }
  return out;
}

std::optional<std::string> FormatOfPath(std::string_view path) {
  if (IsGzipPath(path)) path.remove_suffix(3);
  for (const auto& [extension, format] : {std::pair{".json", "json"},
                                          {".jsonl", "json"},
                                          {".ndjson", "json"},
                                          {".csv", "csv"},
                                          {".parquet", "parquet"},
                                          {".txt", "raw"}}) {
    if (path.ends_with(extension)) return format;
  }
  return std::nullopt;
}

bool IsGzipPath(std::string_view path) { return path.ends_with(".gz"); }

std::string_view ExtensionOf(std::string_view format) {
  if (format == "json") return ".json";
  if (format == "csv") return ".csv";
  return format == "parquet" ? ".parquet" : ".txt";
}

Result<FileTableOptions> ParseFileTableOptions(const TableDefinition& table, const Config& options) {
  FileTableOptions out;
  out.table_options = options;
  out.path = options.GetString("path", "");
  if (out.path.starts_with("file://")) out.path.erase(0, 7);
  if (out.path.find("://") != std::string::npos) {
    return OptionError(table, "path", "'" + out.path + "': only local files can be read and written");
  }
  while (out.path.size() > 1 && out.path.ends_with('/')) out.path.pop_back();
  if (out.path.empty()) return OptionError(table, "path", "'path' is empty");
  out.format = options.GetString("format", "");
  if (!out.format.empty() && out.format != "parquet") {
    std::vector<std::string> known = RowFormats();
    known.erase(std::remove_if(known.begin(), known.end(), [](const auto& name) { return IsBinaryFormat(name); }),
                known.end());
    if (std::find(known.begin(), known.end(), out.format) == known.end()) {
      std::vector<std::string> all = known;
      all.push_back("parquet");
      Status status = OptionError(table, "format", "no format '" + out.format + "' for files");
      const std::string nearest = NearestName(out.format, all);
      if (!nearest.empty()) status = status.WithHint("did you mean '" + nearest + "'?");
      return status.WithNote("formats: json, csv, raw, parquet");
    }
  }
  out.default_partition = options.GetString("partition.default-name", out.default_partition);
  auto bytes = options.GetBytes("sink.rolling-policy.file-size", out.rolling_file_bytes);
  if (!bytes.ok()) return OptionError(table, "sink.rolling-policy.file-size", bytes.status().message());
  out.rolling_file_bytes = *bytes;
  for (const char* key : {"sink.rolling-policy.rollover-interval", "sink.rolling-policy.check-interval"}) {
    const auto duration = options.GetDurationMs(key, 0);
    if (!duration.ok()) return OptionError(table, key, duration.status().message());
  }
  std::string compression = options.GetString("parquet.compression", out.parquet.compression);
  std::transform(compression.begin(), compression.end(), compression.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  out.parquet.compression = compression == "uncompressed" ? "none" : compression;
  const Status codec = CheckParquetCompression(out.parquet.compression);
  if (!codec.ok()) return OptionError(table, "parquet.compression", codec.message());
  return out;
}

Result<std::vector<FileInfo>> FindFiles(FileSystem& fs, const std::string& path) {
  std::vector<FileInfo> files;
  auto info = fs.Stat(path);
  if (info.ok() && !info->is_directory) {
    files.push_back(*info);
  } else if (info.ok()) {
    TM_RETURN_IF_ERROR(AddFolder(fs, path, files));
  } else if (!info.status().Is(kFileNotFound)) {
    return info.status();
  } else if (IsGlob(path)) {
    // The folders before the first wildcard are taken as they are.
    std::vector<std::string> parts = SplitPath(path);
    std::string folder = path.starts_with('/') ? "/" : ".";
    size_t at = 0;
    while (at + 1 < parts.size() && !IsGlob(parts[at])) {
      folder = folder == "." ? parts[at] : JoinPath(folder, parts[at]);
      ++at;
    }
    TM_RETURN_IF_ERROR(AddMatches(fs, folder, parts, at, files));
  }
  if (files.empty()) return NothingFound(fs, path);
  std::sort(files.begin(), files.end(), [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  files.erase(
      std::unique(files.begin(), files.end(), [](const FileInfo& a, const FileInfo& b) { return a.path == b.path; }),
      files.end());
  return files;
}

std::string EscapePathValue(std::string_view value) {
  static constexpr std::string_view kSpecial = "\"#%'*/:=?\\{}[]^";
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || kSpecial.find(c) != std::string_view::npos) {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string UnescapePathValue(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<std::string> PartitionValueOf(std::string_view path, std::string_view name) {
  for (const std::string& part : SplitPath(path)) {
    const size_t equals = part.find('=');
    if (equals != std::string::npos && UnescapePathValue(part.substr(0, equals)) == name)
      return UnescapePathValue(part.substr(equals + 1));
  }
  return std::nullopt;
}

}  // namespace tidemill
