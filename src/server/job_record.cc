#include "server/job_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <xxhash.h>

#include "base/errors.h"
#include "server/errors.h"

namespace tidemill {
namespace {

constexpr int64_t kRecordBytesMax = 1 << 20;

std::string RecordPath(const std::string& data_dir, const std::string& job) {
  return JoinPath(JobDirectory(data_dir, job), "job.json");
}

}  // namespace

std::string JobDirectory(const std::string& data_dir, const std::string& job) {
  return JoinPath(JoinPath(data_dir, "jobs"), job);
}

std::string JobStateDirectory(const std::string& data_dir, const std::string& job) {
  return JoinPath(JobDirectory(data_dir, job), "state");
}

Result<std::optional<JobRecord>> LoadJobRecord(FileSystem& files, const std::string& data_dir, const std::string& job) {
  const std::string path = RecordPath(data_dir, job);
  if (!files.Exists(path)) return std::optional<JobRecord>();
  TM_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, path, kRecordBytesMax));
  const auto body = nlohmann::json::parse(text, nullptr, false);
  if (!body.is_object()) return Status(kBadJobRecord, fmt::format("'{}' is not JSON", path));
  JobRecord record;
  record.name = job;
  const auto string = [&](const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto flag = [&](const char* key) {
    const auto found = body.find(key);
    return found != body.end() && found->is_boolean() && found->get<bool>();
  };
  record.script = string("script");
  record.fingerprint = string("fingerprint");
  record.bounded = flag("bounded");
  record.finished = flag("finished");
  if (const auto outputs = body.find("outputs"); outputs != body.end() && outputs->is_array()) {
    for (const auto& output : *outputs) {
      if (output.is_string()) record.outputs.push_back(output.get<std::string>());
    }
  }
  return std::optional<JobRecord>(std::move(record));
}

Status SaveJobRecord(FileSystem& files, const std::string& data_dir, const JobRecord& record) {
  TM_RETURN_IF_ERROR(files.CreateDirectories(JobDirectory(data_dir, record.name)));
  const nlohmann::json body = {
      {"name", record.name},       {"script", record.script},     {"fingerprint", record.fingerprint},
      {"bounded", record.bounded}, {"finished", record.finished}, {"outputs", record.outputs}};
  return WriteFileAtomically(files, RecordPath(data_dir, record.name),
                             body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::string Fingerprint(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += fmt::format("{}:{};", part.size(), part);
  const XXH128_hash_t hash = XXH3_128bits(all.data(), all.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace tidemill
