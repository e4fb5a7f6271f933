#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/status.h"

namespace tidemill {

// What a data directory remembers of a job between runs: <data-dir>/jobs/<name>/job.json. Its saved state lies beside
// it, in state/.
struct JobRecord {
  std::string name;
  std::string script;       // path, for people
  std::string fingerprint;  // of the scripts, variables and settings
  bool bounded = false;
  bool finished = false;             // bounded input was processed and committed to its end
  std::vector<std::string> outputs;  // folders that it wrote into
};

std::string JobDirectory(const std::string& data_dir, const std::string& job);
std::string JobStateDirectory(const std::string& data_dir, const std::string& job);
// nullopt when there is none. kBadJobRecord.
Result<std::optional<JobRecord>> LoadJobRecord(FileSystem& files, const std::string& data_dir, const std::string& job);
Status SaveJobRecord(FileSystem& files, const std::string& data_dir, const JobRecord& record);

// Identity of what is run: 128 bits in hex.
std::string Fingerprint(const std::vector<std::string>& parts);

}  // namespace tidemill
