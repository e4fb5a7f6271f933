#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"
#include "exec/runtime/source_task.h"
#include "state/snapshot_file.h"

namespace tidemill {

// What one epoch is, durably: all that a restart needs. Stored as JSON with a checksum, in two copies, each written
// atomically; a copy that is damaged is passed over, two damaged ones are refused (an older epoch would write output of
// this one twice).
struct Manifest {
  struct OperatorEntry {
    std::string name;
    std::string type;
    bool operator==(const OperatorEntry&) const = default;
  };
  struct StateEntry {
    int subtask = 0;
    StateFile file;
  };

  int64_t epoch = 0;
  std::string job;
  int parallelism = 1;
  int64_t created_us = 0;
  std::vector<OperatorEntry> operators;                                 // the plan's, sources and sinks included
  std::map<std::string, std::map<std::string, SplitPosition>> sources;  // scan name -> split id -> position
  std::vector<StateEntry> state;                          // by operator, table, subtask; each oldest first
  std::map<std::string, std::vector<std::string>> sinks;  // sink name -> prepared handles

  std::string ToText() const;
  // `path` is named in errors.
  static Result<Manifest> Parse(const std::string& text, const std::string& path);
};

// The manifests under `directory`/manifests. Job's thread.
class ManifestStore {
 public:
  ManifestStore(FileSystem& files, std::string directory) : files_(files), directory_(std::move(directory)) {}
  // Durable when it returns OK.
  Status Write(const Manifest& manifest);
  // nullopt: there is none. kBadManifest names the file.
  Result<std::optional<Manifest>> LoadNewest();
  // Removes manifests of epochs below `epoch`. Best effort.
  void RemoveBefore(int64_t epoch);
  Status RemoveAll();

 private:
  Result<std::vector<int64_t>> Epochs();  // ascending
  std::string PathOf(int64_t epoch, int copy) const;

  FileSystem& files_;
  std::string directory_;
};

}  // namespace tidemill
