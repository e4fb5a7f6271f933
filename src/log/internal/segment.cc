#include "log/internal/segment.h"

#include <algorithm>
#include <cstdio>

#include "base/crc32c.h"
#include "base/logging.h"
#include "log/errors.h"
#include "log/internal/bytes.h"

namespace tidemill::log_internal {
namespace {

constexpr int64_t kIndexInterval = 16 << 10;
constexpr int64_t kScanBytes = 1 << 20;
constexpr std::string_view kIndexMagic = "TMIX0001";
constexpr int64_t kIndexFileMax = 64 << 20;
constexpr size_t kNameDigits = 20;

// A window that slides over a file, for batches of any size.
class FileWindow {
 public:
  FileWindow(const ReadableFile& file, int64_t size) : file_(file), size_(size) {}

  // At least `wanted` bytes from `position`, or all there are.
  Result<std::string_view> At(int64_t position, int64_t wanted) {
    if (position < start_ || position + wanted > start_ + static_cast<int64_t>(bytes_.size())) {
      const int64_t n = std::min(std::max(wanted, kScanBytes), size_ - position);
      bytes_.resize(static_cast<size_t>(std::max<int64_t>(n, 0)));
      TM_ASSIGN_OR_RETURN(const int64_t got,
                          file_.ReadAt(position, static_cast<int64_t>(bytes_.size()), bytes_.data()));
      bytes_.resize(static_cast<size_t>(got));
      start_ = position;
    }
    return std::string_view(bytes_).substr(static_cast<size_t>(position - start_));
  }

 private:
  const ReadableFile& file_;
  const int64_t size_;
  std::string bytes_;
  int64_t start_ = 0;
};

std::optional<int64_t> ParseDigits(std::string_view digits) {
  int64_t number = 0;
  for (char c : digits) {
    if (c < '0' || c > '9' || number > (INT64_MAX - 9) / 10) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

}  // namespace

void SegmentIndex::Add(const BatchHeader& header, int64_t position, int64_t segment_base) {
  if (entries.empty() || position - entries.back().position >= kIndexInterval) {
    entries.push_back(
        {static_cast<int32_t>(header.base_offset - segment_base), static_cast<int32_t>(position), max_timestamp});
  }
  covered_bytes = position + header.total_bytes();
  end_offset = header.last_offset() + 1;
  max_timestamp = std::max(max_timestamp, header.max_timestamp);
}

IndexEntry SegmentIndex::FindOffset(int64_t relative_offset) const {
  const auto it =
      std::upper_bound(entries.begin(), entries.end(), relative_offset,
                       [](int64_t offset, const IndexEntry& entry) { return offset < entry.relative_offset; });
  return it == entries.begin() ? IndexEntry{0, 0, INT64_MIN} : *std::prev(it);
}

IndexEntry SegmentIndex::FindTime(int64_t timestamp_ms) const {
  const auto it =
      std::lower_bound(entries.begin(), entries.end(), timestamp_ms,
                       [](const IndexEntry& entry, int64_t time) { return entry.max_timestamp_before < time; });
  return it == entries.begin() ? IndexEntry{0, 0, INT64_MIN} : *std::prev(it);
}

int64_t SegmentIndex::FindPosition(int64_t position) const {
  const auto it = std::upper_bound(entries.begin(), entries.end(), position,
                                   [](int64_t wanted, const IndexEntry& entry) { return wanted < entry.position; });
  return it == entries.begin() ? 0 : std::prev(it)->position;
}

std::string SegmentPath(const std::string& directory, int64_t base_offset) {
  char name[32];
  std::snprintf(name, sizeof(name), "%020lld.log", static_cast<long long>(base_offset));
  return JoinPath(directory, name);
}

std::optional<int64_t> ParseSegmentName(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.size() != kNameDigits + 4 || !name.ends_with(".log")) return std::nullopt;
  return ParseDigits(name.substr(0, kNameDigits));
}

std::string SwapPath(const std::string& directory, int64_t base_offset, int64_t end_offset) {
  char name[64];
  std::snprintf(name, sizeof(name), "%020lld-%020lld.swap", static_cast<long long>(base_offset),
                static_cast<long long>(end_offset));
  return JoinPath(directory, name);
}

Status FinishSwaps(FileSystem& files, const std::string& directory) {
  TM_ASSIGN_OR_RETURN(const auto entries, files.List(directory));
  for (const FileInfo& entry : entries) {
    if (entry.path.ends_with(".cleaned")) TM_RETURN_IF_ERROR(files.Remove(entry.path));
    if (!entry.path.ends_with(".swap")) continue;
    const std::string_view name = std::string_view(entry.path).substr(entry.path.rfind('/') + 1);
    if (name.size() != 2 * kNameDigits + 6) continue;
    const auto base = ParseDigits(name.substr(0, kNameDigits));
    const auto end = ParseDigits(name.substr(kNameDigits + 1, kNameDigits));
    if (!base || !end) continue;
    for (const FileInfo& other : entries) {
      const auto old = ParseSegmentName(other.path);
      if (!old || *old < *base || *old >= *end) continue;
      TM_RETURN_IF_ERROR(files.Remove(other.path.substr(0, other.path.size() - 4) + ".index"));
      if (*old > *base) TM_RETURN_IF_ERROR(files.Remove(other.path));
    }
    TM_RETURN_IF_ERROR(files.SyncDirectory(directory));
    TM_RETURN_IF_ERROR(files.Rename(entry.path, SegmentPath(directory, *base)));
    TM_RETURN_IF_ERROR(files.SyncDirectory(directory));
  }
  for (const FileInfo& entry : entries) {
    if (entry.path.ends_with(".deleted")) TM_RETURN_IF_ERROR(files.Remove(entry.path));
  }
  return Status::OK();
}

Status StoreIndex(FileSystem& files, const Segment& segment, const SegmentIndex& index) {
  std::string bytes(kIndexMagic);
  AppendBig(&bytes, segment.base_offset);
  AppendBig(&bytes, index.covered_bytes);
  AppendBig(&bytes, index.end_offset);
  AppendBig(&bytes, index.max_timestamp);
  for (const IndexEntry& entry : index.entries) {
    AppendBig(&bytes, entry.relative_offset);
    AppendBig(&bytes, entry.position);
    AppendBig(&bytes, entry.max_timestamp_before);
  }
  AppendBig(&bytes, Crc32c(bytes));
  // Not synced: a crash that loses it costs one reading of the segment.
  TM_ASSIGN_OR_RETURN(auto file, files.OpenWritable(segment.IndexPath(), FileSystem::OpenMode::kTruncate));
  return file->Append(bytes);
}

Result<std::optional<SegmentIndex>> LoadIndex(FileSystem& files, const Segment& segment) {
  const std::string path = segment.IndexPath();
  if (!files.Exists(path)) return std::optional<SegmentIndex>();
  TM_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files, path, kIndexFileMax));
  const std::string_view all = bytes;
  constexpr size_t kHead = 40, kEntry = 16;
  if (all.size() < kHead + 4 || (all.size() - kHead - 4) % kEntry != 0 || !all.starts_with(kIndexMagic) ||
      Crc32c(all.substr(0, all.size() - 4)) != LoadBig<uint32_t>(all.data() + all.size() - 4)) {
    LogWarning("'" + path + "' is damaged; it is made again from the segment");
    return std::optional<SegmentIndex>();
  }
  ByteReader reader(all.substr(kIndexMagic.size()));
  const auto base = reader.Big<int64_t>();
  SegmentIndex index;
  index.covered_bytes = reader.Big<int64_t>();
  index.end_offset = reader.Big<int64_t>();
  index.max_timestamp = reader.Big<int64_t>();
  index.entries.resize((all.size() - kHead - 4) / kEntry);
  for (IndexEntry& entry : index.entries) {
    entry.relative_offset = reader.Big<int32_t>();
    entry.position = reader.Big<int32_t>();
    entry.max_timestamp_before = reader.Big<int64_t>();
  }
  if (base != segment.base_offset) return std::optional<SegmentIndex>();
  return std::optional<SegmentIndex>(std::move(index));
}

Result<SegmentIndex> LoadOrRebuildIndex(FileSystem& files, const Segment& segment) {
  const int64_t size = segment.size.load();
  TM_ASSIGN_OR_RETURN(auto index, LoadIndex(files, segment));
  if (index && index->covered_bytes == size) return *std::move(index);
  SegmentIndex rebuilt;
  rebuilt.end_offset = segment.base_offset;
  TM_ASSIGN_OR_RETURN(const auto file, files.OpenReadable(segment.path));
  TM_ASSIGN_OR_RETURN(const ScanEnd end,
                      ScanBatches(*file, 0, size, segment.base_offset,
                                  [&](const BatchHeader& header, std::string_view, int64_t position) {
                                    rebuilt.Add(header, position, segment.base_offset);
                                    return Status::OK();
                                  }));
  if (!end.damage.empty()) return DamageError(segment.path, end.position, end.offset, end.damage);
  if (segment.replaced.load()) return rebuilt;  // the file belongs to another now
  if (Status stored = StoreIndex(files, segment, rebuilt); !stored.ok())
    LogWarning("index not stored: " + stored.ToString());
  return rebuilt;
}

Result<ScanEnd> ScanBatches(
    const ReadableFile& file, int64_t position, int64_t size, int64_t offset,
    const std::function<Status(const BatchHeader&, std::string_view batch, int64_t position)>& visit) {
  FileWindow window(file, size);
  ScanEnd end{position, offset, false, ""};
  while (end.position < size) {
    TM_ASSIGN_OR_RETURN(std::string_view bytes, window.At(end.position, kBatchHeadBytes));
    const auto header = ParseBatchHeader(bytes);
    if (!header.ok()) {
      end.ends_early = size - end.position < kBatchHeadBytes;
      end.damage = header.status().message();
      return end;
    }
    if (header->total_bytes() > size - end.position) {
      end.ends_early = true;
      end.damage = "the file ends within a batch";
      return end;
    }
    TM_ASSIGN_OR_RETURN(bytes, window.At(end.position, header->total_bytes()));
    if (bytes.size() < static_cast<size_t>(header->total_bytes())) {
      end.ends_early = true;
      end.damage = "the file ends within a batch";
      return end;
    }
    const std::string_view batch = bytes.substr(0, static_cast<size_t>(header->total_bytes()));
    if (header->base_offset != end.offset || header->leader_epoch != 0) {
      end.damage =
          "the batch says offset " + std::to_string(header->base_offset) + ", expected " + std::to_string(end.offset);
      return end;
    }
    if (!ChecksumMatches(*header, batch)) {
      end.damage = "wrong checksum";
      return end;
    }
    TM_RETURN_IF_ERROR(visit(*header, batch, end.position));
    end.position += header->total_bytes();
    end.offset = header->last_offset() + 1;
  }
  return end;
}

Result<bool> AnyBatchIn(const ReadableFile& file, int64_t position, int64_t size, int64_t offset) {
  FileWindow window(file, size);
  for (int64_t at = position; at + kBatchHeadBytes <= size; ++at) {
    TM_ASSIGN_OR_RETURN(std::string_view bytes, window.At(at, kBatchHeadBytes));
    if (bytes.size() < static_cast<size_t>(kBatchHeadBytes) || bytes[16] != 2)
      continue;  // magic first: this looks at every byte
    const auto header = ParseBatchHeader(bytes);
    if (!header.ok() || header->base_offset < offset || header->total_bytes() > size - at) continue;
    TM_ASSIGN_OR_RETURN(bytes, window.At(at, header->total_bytes()));
    if (ChecksumMatches(*header, bytes.substr(0, static_cast<size_t>(header->total_bytes())))) return true;
  }
  return false;
}

Status DamageError(const std::string& path, int64_t position, int64_t offset, std::string_view why) {
  return Status(kCorruptBatch, "'" + path + "' is damaged at byte " + std::to_string(position) + " (offset " +
                                   std::to_string(offset) + "): " + std::string(why));
}

}  // namespace tidemill::log_internal
